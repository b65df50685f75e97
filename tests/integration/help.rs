//! Help texts, and the answers to mistyped verbs and flags.

use std::os::unix::process::CommandExt as _;

use insta::assert_snapshot;

use crate::readme::verbs;
use crate::support::{PROGRAM, Sandbox, file};

#[test]
fn of_the_program() {
    assert_snapshot!(Sandbox::new().run(&["--help"]), @"
    ── stdout
    Run a command for each item of a list on a Kubernetes cluster

    Usage: kubectl indexed [OPTIONS] <COMMAND>

    Commands:
      run         Run a command for each item, as one Indexed Job
      describe    Show a Job in detail: status, failures, indexes, events
      list        List the Indexed Jobs of a namespace [aliases: ls, get]
      indexes     List the indexes of a Job [alias: tasks]
      logs        Print the logs of a Job by index
      results     Collect the output, exit code and times of each index
      wait        Wait until Jobs complete or fail
      watch       Watch a Job on a live screen until it ends
      retry       Re-run the failed and never-started indexes of a Job
      suspend     Suspend Jobs: stop their running Pods and start no more
      resume      Resume suspended Jobs
      scale       Change how many indexes of a Job run at once
      delete      Delete Jobs with their Pods and ConfigMaps
      completion  Print the completion script of a shell
      config      Show the configured defaults and their sources
      version     Show the versions of the plugin and the server
      help        Print a chapter of the manual, or the help of a verb

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Cluster options:
      -n, --namespace <NAME>
              Work in this namespace [default: the context's]

          --kubeconfig <FILE>
              Use this kubeconfig file [default: $KUBECONFIG, then ~/.kube/config]

          --context <NAME>
              Use this context of the kubeconfig

          --cluster <NAME>
              Use this cluster of the kubeconfig

          --user <NAME>
              Use this user of the kubeconfig

      -s, --server <URL>
              Connect to the API server at this address

          --token <TOKEN>
              Authenticate with this bearer token

          --as <USER>
              Impersonate this user

          --as-group <GROUP>
              Impersonate this group; can be repeated

          --as-uid <UID>
              Impersonate this UID

          --as-user-extra <KEY=VALUE>
              Impersonate a user with this extra field; can be repeated, also with the same key

          --username <NAME>
              Authenticate with this user name (basic authentication; API servers since 1.19 refuse it)

          --password <PASSWORD>
              Authenticate with this password (basic authentication)

          --request-timeout <DURATION>
              Give up a request after this time, as in 30s or 5m; 0 means never
              
              [default: 1m]

          --certificate-authority <FILE>
              Verify the server with the certificate authority in this file

          --client-certificate <FILE>
              Authenticate with the certificate in this file

          --client-key <FILE>
              Authenticate with the private key in this file

          --tls-server-name <NAME>
              Expect this name in the server's certificate

          --insecure-skip-tls-verify
              Accept any server certificate; others may then read and change the traffic

          --disable-compression
              Ask the server for uncompressed responses

      -v, --verbosity <LEVEL>
              Print requests on stderr: 6 status and time, 7 adds headers, 8 bodies, 9 curl commands; no
              tokens

    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Manual (kubectl indexed help CHAPTER):
      items              sources and formats of items
      commands           items in commands: placeholders, shells, templates
      reading-logs       logs of some or all indexes
      results-and-retry  results, retry and resume
      policies           retries, limits and early ends
      files              directories of results and logs
      coming-from        equivalents of xargs, GNU parallel, Slurm and HyperQueue
      configuration      defaults, colour and completion
      troubleshooting    causes of waiting and failing indexes, and remedies
      reference          names, exit codes, output formats, connection
      flags              all verbs and flags

    Exit codes:
      0    the Job completed, or the verb succeeded
      1    the Job failed, or a runtime error occurred
      2    wrong usage; nothing was created
      3    timed out
      130  interrupted by Ctrl-C, SIGTERM or SIGHUP; the Job continues
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_run() {
    assert_snapshot!(Sandbox::new().run(&["run", "--help"]), @r#"
    ── stdout
    Run a command for each item, as one Indexed Job

    Usage: kubectl indexed run [OPTIONS] [NAME] [-- <CMD [ARG]>...]

    Arguments:
      [NAME]
              Name of the Job [default: generated from the command]

      [CMD [ARG]]...
              Command to run; {} is the item
              
              {COLUMN} is a column of the item. ::: A B and :::+ A B at the end list items, as in GNU
              parallel.

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Items:
          --items <A,B,…>
              Use these items, separated by commas
              
              Quote an item that contains a comma: 'a,"b,c"'.

      -a, --items-file <FILE>
              Read items from a file, one per line; - is stdin
              
              Files named .csv, .tsv, .json and .jsonl are read in that format; --format overrides the
              name. --each-line is an alias.

          --format <FORMAT>
              Read --items-file in this format [default: by the file name]

              Possible values:
              - lines: One item per line
              - csv:   Comma-separated columns, named by the first line
              - tsv:   Tab-separated columns, named by the first line
              - json:  One array of strings, numbers or flat objects
              - jsonl: One string, number or flat object per line

          --colsep <CHAR>
              Split each line of --items-file at this character into the columns {1}, {2}, …

          --no-header[=<BOOL>]
              Read the first line of a CSV or TSV file as an item; the columns are {1}, {2}, …

      -0, --null
              End each item of --items-file at a NUL byte instead of a line break

          --range <RANGE>
              Use numbers as items, as in 1-100:3 or 1,5,9-12
              
              %N at the end runs N indexes at once: 1-100%10. --array is an alias.

          --param <NAME=A,B,…>
              Add a column; items are all combinations of columns
              
              Can be repeated.

          --link
              Pair the values of several --param or ::: instead of combining them

          --items-configmap <NAME[/KEY]>
              Use a list in the cluster
              
              NAME is a ConfigMap with the keys 0, 1, …; NAME/KEY is one key with an item per line.

          --completions <N>
              Run N indexes without items

          --unique
              Skip repeated items

          --skip <N>
              Skip the first N items

          --shuffle[=<SEED>]
              Shuffle the items
              
              The program prints the seed; the same seed gives the same order.

          --first <N>
              Use at most N items: the first N, or with --shuffle a sample

          --resume <JOB>
              Skip the items that succeeded in this Job
              
              Items are compared by content: new, changed, failed and never-started items run. See
              Resume below.

    Passing items:
          --item-as <FORM>
              Pass the item in this form [default: arg if the command has {} or {COLUMN}, else file]

              Possible values:
              - file:  In a file; its path is added to the command unless the command names it
              - arg:   In the command, in place of {} or {COLUMN}
              - env:   In the variable ITEM, and one variable per column
              - stdin: On standard input; needs a shell in the image
              - index: Not at all; the worker reads its index

          --item-path <PATH>
              Write the item to this file in the container [default: /input/data.txt]

          --no-placeholders
              Keep all braces in the command unchanged

          --shell
              Pass items through a shell in the image even when not required

          --no-shell
              Never use a shell in the worker's image

          --index-env <NAME>
              Set this variable to the index, besides JOB_COMPLETION_INDEX

          --index-file <PATH>
              Write the index to this file in the container (downward API)

          --compat <SYSTEM>
              Set the variables of these systems, so that their scripts run unchanged
              
              Separate several by commas.

              Possible values:
              - slurm:      SLURM_ARRAY_TASK_ID and the other variables of an array task
              - hyperqueue: HQ_TASK_ID, HQ_ENTRY
              - aws:        AWS_BATCH_JOB_ARRAY_INDEX, AWS_BATCH_JOB_ARRAY_SIZE
              - parallel:   PARALLEL_SEQ, which starts at 1

          --item-store <STORE>
              Store the list of items here

              Possible values:
              - auto:      The best store for the list: ConfigMaps
              - inline:    The Job itself; an init container with a shell picks the item
              - configmap: ConfigMaps owned by the Job; up to 1,000 items need no init container
              
              [default: auto]

          --init-image <IMAGE>
              Use this image for init containers; it needs a POSIX shell

    Job:
          --name <NAME>
              Set the name of the Job

      -j, --parallelism <N>
              Run N indexes at once [default: all, at most 100]

          --label <KEY=VALUE>
              Add a label to the Job and its Pods
              
              Can be repeated.

          --annotation <KEY=VALUE>
              Add an annotation to the Job and its Pods
              
              Can be repeated.

          --queue <NAME>
              Submit the Job to this Kueue queue

          --template <FILE>
              Start from a Job, CronJob or PodTemplate manifest
              
              The manifest is YAML or JSON; - reads it from stdin.

    Policies:
          --retries <N>
              Retry each failed index up to N times [default: 0]

          --max-evictions <N>
              Restart an index at most N times after evictions, preemptions and lost nodes [default: 10]
              
              With --retries or --index-timeout there is no limit.

          --max-failed <N>
              Fail the Job when more than N indexes have failed [default: no limit]

          --fail-fast
              Fail the Job at its first failed index
              
              An index has failed when its retries have failed too.

          --fail-on-exit <CODES>
              Don't retry an index after these exit codes of the command, as in 1,3-5

          --ignore-exit <CODES>
              Retry an index after these exit codes of the command without counting a failure, as in
              75,80-89

          --success-indexes <INDEXES>
              Complete the Job when these indexes have succeeded, and stop the others

          --success-count <N>
              Complete the Job when N indexes have succeeded, of all or of --success-indexes

          --timeout <DURATION>
              Fail the Job after this time [default: never]
              
              Takes durations such as 90s, 10m or 2h.

          --index-timeout <DURATION>
              End an attempt of an index after this time, as in 90s or 2h [default: never]
              
              The time starts when a node accepts the Pod, before it pulls the image.

          --ttl <DURATION>
              Delete the Job, its Pods and their logs this long after its end [default: never]

    Worker:
          --image <IMAGE>
              Run this image [default: docker.io/library/busybox]

      -e, --env <KEY=VALUE>
              Set an environment variable of the worker
              
              Can be repeated.

          --cpu <AMOUNT>
              Request this CPU per index, as in 2 or 500m
              
              500m:2 requests 500m and limits to 2.

          --memory <AMOUNT>
              Request and limit memory per index, as in 512Mi
              
              512Mi:2Gi requests 512Mi and limits to 2Gi.

          --gpu <N>
              Request this number of GPUs per index
              
              N requests nvidia.com/gpu. RESOURCE=N requests another resource.

          --workdir <PATH>
              Start the command in this directory [default: the image's]

          --image-pull-policy <POLICY>
              Pull the worker's image at these times
              
              [possible values: Always, IfNotPresent, Never]

    Pod:
          --service-account <NAME>
              Run the Pods with this service account

          --node-selector <KEY=VALUE>
              Run only on nodes with this label
              
              Can be repeated.

          --toleration <KEY[=VALUE]:EFFECT>
              Tolerate this taint
              
              Can be repeated.

          --image-pull-secret <NAME>
              Pull images with this Secret
              
              Can be repeated.

          --priority-class <NAME>
              Run the Pods with this priority class

    Following:
      -d, --detach
              Return after submitting the Job

      -k, --keep-order
              Print the output in index order
              
              Early output waits in memory, then on disk.

          --prefix <PREFIX>
              Start each line of output with this prefix

              Possible values:
              - auto:  Index and item, unless all lines come from one index
              - index: Index and item in brackets
              - pod:   Pod and container, as kubectl logs --prefix prints them
              - none:  No prefix
              
              [default: auto]

      -q, --quiet
              Print no progress and no summary

          --results <DIR>
              Write the output of each index to this directory
              
              The directory must be new or empty. Each file is written when its index ends, as by the
              verb results --to.

    Output:
          --dry-run[=<WHERE>]
              Print the objects instead of creating them
              
              The Job that they come from is still read from the cluster.

              Possible values:
              - none:   Make the change
              - client: Check it here, and print it
              - server: Have the server check it without storing it, and print the server's answer
              
              [default: none]

      -o, --output <FORMAT>
              Print the objects in this format

              Possible values:
              - yaml
              - json
              - name
              - jsonpath=:         Fields selected by a template, as in jsonpath='{.metadata.name}'
              - jsonpath-as-json=: The same fields as JSON
              - jsonpath-file=:    Fields selected by a template in a file
              - go-template=:      A Go template, as in go-template='{{.metadata.name}}'
              - custom-columns=:   A table of fields, as in custom-columns=NAME:.metadata.name

          --field-manager <NAME>
              Record this field manager for the fields that are set
              
              [default: kubectl-indexed]

    Cluster options:
      -n, --namespace <NAME>
              Work in this namespace [default: the context's]

          --kubeconfig <FILE>
              Use this kubeconfig file [default: $KUBECONFIG, then ~/.kube/config]

          --context <NAME>
              Use this context of the kubeconfig

          --cluster <NAME>
              Use this cluster of the kubeconfig

          --user <NAME>
              Use this user of the kubeconfig

      -s, --server <URL>
              Connect to the API server at this address

          --token <TOKEN>
              Authenticate with this bearer token

          --as <USER>
              Impersonate this user

          --as-group <GROUP>
              Impersonate this group; can be repeated

          --as-uid <UID>
              Impersonate this UID

          --as-user-extra <KEY=VALUE>
              Impersonate a user with this extra field; can be repeated, also with the same key

          --username <NAME>
              Authenticate with this user name (basic authentication; API servers since 1.19 refuse it)

          --password <PASSWORD>
              Authenticate with this password (basic authentication)

          --request-timeout <DURATION>
              Give up a request after this time, as in 30s or 5m; 0 means never
              
              [default: 1m]

          --certificate-authority <FILE>
              Verify the server with the certificate authority in this file

          --client-certificate <FILE>
              Authenticate with the certificate in this file

          --client-key <FILE>
              Authenticate with the private key in this file

          --tls-server-name <NAME>
              Expect this name in the server's certificate

          --insecure-skip-tls-verify
              Accept any server certificate; others may then read and change the traffic

          --disable-compression
              Ask the server for uncompressed responses

      -v, --verbosity <LEVEL>
              Print requests on stderr: 6 status and time, 7 adds headers, 8 bodies, 9 curl commands; no
              tokens

    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Resume:
      --resume JOB creates a new Job for the items that have not succeeded in JOB, in its retries,
      or in the Jobs that JOB resumed. Its indexes start at 0. Items are compared by their bytes,
      rows of a table by all columns, wherever they are in the list. An item that is in the list
      twice must succeed twice. A success counts only if the command, --item-as and the name of
      the image are the same; variables, resources and the rest of a template may differ. Running
      indexes have not succeeded. A list of --items-configmap is copied; the list of JOB must not
      have changed. If no items are left, the exit code is 0.

    Examples:
      # Reverse three words, one Pod per word, and print the output
      kubectl indexed run --items foo,bar,baz -- rev

      # One index per line of a file, the line as an argument
      kubectl indexed run --items-file words.txt -- echo {}

      # One index per row of a table, its columns by name
      kubectl indexed run --items-file sizes.csv -- echo {name} is {size} wide

      # Every combination, in the syntax of GNU parallel
      kubectl indexed run -- echo train with {1} at {2} ::: adam sgd ::: 0.1 0.01

      # Ten indexes at once, two retries each, in another image
      kubectl indexed run --items a.png,b.png -j 10 --retries 2 --image bash -- echo resize

      # Stop after one hour, or at the first failed index
      kubectl indexed run --items-file words.txt --timeout 1h --fail-fast -- echo {}

      # Only items that are new or have not succeeded in job rev-a
      kubectl indexed run --resume rev-a --items-file words.txt -- rev

      # Print the manifest
      kubectl indexed run --items foo,bar,baz --dry-run=client -o yaml -- rev

      # Start from a manifest, for volumes, secrets and all other fields
      kubectl indexed run --items foo,bar --template job.yaml
    ── stderr
    ── exit code 0
    "#);
}

#[test]
fn of_describe() {
    assert_snapshot!(own_part("describe"), @"
    ── stdout
    Show a Job in detail: status, failures, indexes, events

    Usage: kubectl indexed describe [OPTIONS] [JOB]

    Arguments:
      [JOB]
              Job to describe [default: the newest Indexed Job]

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Selection:
          --only-this
              Leave out the Jobs that this Job retries and those that retry it

          --show-events[=<BOOL>]
              Show the events of the Job and its Pods
              
              [default: true]

    [the cluster options]
    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Examples:
      # The newest Indexed Job of the namespace
      kubectl indexed describe

      # A Job by name
      kubectl indexed describe indexed-job
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_list() {
    assert_snapshot!(own_part("list"), @r#"
    ── stdout
    List the Indexed Jobs of a namespace

    Usage: kubectl indexed list [OPTIONS]

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Selection:
      -A, --all-namespaces
              List the Jobs of all namespaces

      -l, --selector <SELECTOR>
              List only Jobs with these labels, as in kubectl get -l

          --field-selector <SELECTOR>
              List only Jobs with these fields: metadata.name, metadata.namespace, status.successful

    Output:
      -L, --label-columns <LABEL>
              Add a column for each of these labels, separated by commas

          --show-labels
              Add a column with all labels

          --sort-by <COLUMN>
              Sort the Jobs by this column

              Possible values:
              - age:    Newest first
              - name:   By name
              - status: By status
              - failed: Most failed indexes last
              
              [default: age]

      -o, --output <FORMAT>
              Print the list in this format

              Possible values:
              - wide
              - yaml
              - json
              - name
              - jsonpath=:         Fields selected by a template, as in jsonpath='{.metadata.name}'
              - jsonpath-as-json=: The same fields as JSON
              - jsonpath-file=:    Fields selected by a template in a file
              - go-template=:      A Go template, as in go-template='{{.metadata.name}}'
              - custom-columns=:   A table of fields, as in custom-columns=NAME:.metadata.name

          --no-headers
              Print no line of column names

      -w, --watch
              Print a Job again when it changes, until interrupted

    [the cluster options]
    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Examples:
      # All Indexed Jobs of the namespace
      kubectl indexed list

      # All namespaces, with images and labels
      kubectl indexed list -A -o wide

      # The names of the Jobs with a label
      kubectl indexed list -l team=vision -o name

      # Print each Job again when it changes, for one minute
      timeout -s INT 60 kubectl indexed list -w

      # Add a column for a label
      kubectl indexed list -L team

      # Add a column with all labels
      kubectl indexed list --show-labels

      # Jobs without a completed index
      kubectl indexed list --field-selector status.successful=0

      # Print fields with a JSONPath template
      kubectl indexed list -o jsonpath='{range .items[*]}{.metadata.name}{"\n"}{end}'
    ── stderr
    ── exit code 0
    "#);
}

#[test]
fn of_indexes() {
    assert_snapshot!(own_part("indexes"), @"
    ── stdout
    List the indexes of a Job

    Usage: kubectl indexed indexes [OPTIONS] [JOB]

    Arguments:
      [JOB]
              Job with the indexes [default: the newest Indexed Job]

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Selection:
      -i, --index <INDEXES>
              List only these indexes, as in 0-3,7 or failed
              
              Takes numbers and ranges with steps (0-3,7,9-20:2) and the words failed, succeeded,
              running, pending and all, separated by commas. A leading ! excludes.

          --item <ITEM>
              List only the indexes of this item
              
              * stands for any characters, ? for one character. Can be repeated.

          --status <STATUS>
              List only indexes with this status; separate several by commas
              
              [possible values: pending, starting, running, retrying, unknown, succeeded, failed]

          --only-this
              Leave out the Jobs that this Job retries and those that retry it

    Output:
          --sort-by <COLUMN>
              Sort the rows by this column
              
              [default: index]
              [possible values: index, item, status, attempts, exit, reason, node, started, duration]

      -o, --output <FORMAT>
              Print the rows in this format

              Possible values:
              - wide:              Add the Pod and the message
              - json:              One object with a versioned schema
              - jsonl:             One object per line
              - csv:               Comma-separated values with all columns
              - tsv:               Tab-separated values with all columns
              - name:              The Pod of each index, as an argument for kubectl
              - jsonpath=:         Fields selected by a template, as in jsonpath='{.metadata.name}'
              - jsonpath-as-json=: The same fields as JSON
              - jsonpath-file=:    Fields selected by a template in a file
              - go-template=:      A Go template, as in go-template='{{.metadata.name}}'
              - custom-columns=:   A table of fields, as in custom-columns=NAME:.metadata.name

          --no-headers
              Print no line of column names

      -w, --watch
              Print a row again when it changes, until the Job ends

    [the cluster options]
    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Examples:
      # All indexes of the newest Job
      kubectl indexed indexes

      # Failed indexes, each with its Pod and message
      kubectl indexed indexes indexed-job --status failed -o wide

      # The slowest indexes last
      kubectl indexed indexes --status succeeded --sort-by duration

      # Print each row again when it changes, until the Job ends
      kubectl indexed indexes -w

      # Pass the Pod of an index to kubectl
      kubectl describe $(kubectl indexed indexes --index 3 -o name)
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_logs() {
    assert_snapshot!(own_part("logs"), @"
    ── stdout
    Print the logs of a Job by index

    Usage: kubectl indexed logs [OPTIONS] [JOB]

    Arguments:
      [JOB]
              Job with the logs [default: the newest Indexed Job]

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Selection:
      -i, --index <INDEXES>
              Print only these indexes, as in 0-3,7 or failed
              
              Takes numbers and ranges with steps (0-3,7,9-20:2) and the words failed, succeeded,
              running, pending and all, separated by commas. A leading ! excludes. If only numbers are
              given, an index that has not started is an error. Otherwise it is a note on stderr.

          --only-this
              Leave out the Jobs that this Job retries and those that retry it

          --item <ITEM>
              Print only the indexes of this item
              
              * stands for any characters, ? for one character. Can be repeated.

          --status <STATUS>
              Print only indexes with this status; separate several by commas
              
              [possible values: pending, starting, running, retrying, unknown, succeeded, failed]

          --attempt <N>
              Print this attempt of each index: all, last, or a number from 1
              
              [default: all]

      -p, --previous
              Print the log of the container before its last restart in the Pod

      -c, --container <NAME>
              Read this container [default: the Pod's default container]

          --all-containers
              Read all containers, init containers first

          --init
              Read the init containers

    Order:
      -f, --follow
              Follow the logs until the Job ends

      -k, --keep-order
              Print in index order also with --follow
              
              Early output waits in memory, then on disk.

          --merge
              Print the lines of all indexes in the order of their timestamps

          --max-log-requests <N>
              Read at most N logs at once; others wait their turn
              
              [default: 64]

    Lines:
          --since <DURATION>
              Print only lines newer than this, as in 5s, 2m or 3h

          --since-time <TIME>
              Print only lines since this time (RFC 3339, whole seconds)

          --tail <N>
              Print the last N lines of each log; -1 prints all
              
              [default: -1]

          --limit-bytes <N>
              Print at most N bytes of each log; the last line may be cut

          --grep <REGEX>
              Print only lines that match this regular expression
              
              Can be repeated: a line needs to match one of them.

          --exclude <REGEX>
              Print no lines that match this regular expression
              
              Can be repeated.

    Output:
          --prefix <PREFIX>
              Start each line with this prefix

              Possible values:
              - auto:  Index and item, unless all lines come from one index
              - index: Index and item in brackets
              - pod:   Pod and container, as kubectl logs --prefix prints them
              - none:  No prefix
              
              [default: auto]

          --timestamps
              Start each line with its timestamp

      -o, --output <FORMAT>
              Print the lines as objects in this format

              Possible values:
              - json:  One array
              - jsonl: One object per line

          --to <DIR>
              Write one file per index to this directory, created if it is missing

          --raw
              Print control characters to the terminal unescaped

    [the cluster options]
    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Examples:
      # All indexes of the newest Job, in index order
      kubectl indexed logs

      # One index, a range, an item, or the last attempt of failed indexes
      kubectl indexed logs indexed-job --index 3
      kubectl indexed logs --index 0-3,7,9-20:2
      kubectl indexed logs --item 'q*'
      kubectl indexed logs --status failed --attempt last

      # Follow until the Job ends
      kubectl indexed logs -f

      # One file per index, or one object per line
      kubectl indexed logs --to logs
      kubectl indexed logs -o jsonl --grep 'loss=[0-9.]+'
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_watch() {
    assert_snapshot!(own_part("watch"), @"
    ── stdout
    Watch a Job on a live screen until it ends

    Usage: kubectl indexed watch [OPTIONS] [JOB]

    Arguments:
      [JOB]
              Job to watch [default: the newest Indexed Job]

    Options:
      -h, --help
              Print help (see a summary with '-h')

    [the cluster options]
    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Examples:
      # The newest Indexed Job of the namespace
      kubectl indexed watch

      # Print changes as lines, for a screen reader
      kubectl indexed watch indexed-job --plain

      # Without a terminal, wait prints the progress
      kubectl indexed wait indexed-job
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_wait() {
    assert_snapshot!(own_part("wait"), @"
    ── stdout
    Wait until Jobs complete or fail

    Usage: kubectl indexed wait [OPTIONS] [JOB]...

    Arguments:
      [JOB]...
              Jobs to wait for [default: the newest Indexed Job]

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Waiting:
          --for <CONDITION>
              Wait for complete, failed, or indexes=0-9 [default: complete or failed]
              
              indexes=0-9 waits until these indexes have completed.

          --only-this
              Leave out the Jobs that these Jobs retry and those that retry them

          --timeout <DURATION>
              Stop waiting after this time, as in 90s, 10m or 2h; 0 means never
              
              [default: 0]

    Output:
      -q, --quiet
              Print no progress and no summary

    [the cluster options]
    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Examples:
      # Exit with 0 when the Job completes, with 1 when it fails
      kubectl indexed wait indexed-job

      # Exit with 3 after ten minutes
      kubectl indexed wait indexed-job --timeout 10m

      # Wait until some indexes have completed
      kubectl indexed wait indexed-job --for indexes=0-9

      # Wait for several Jobs; exit with 0 when all completed
      kubectl indexed wait train evaluate
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_retry() {
    assert_snapshot!(own_part("retry"), @"
    ── stdout
    Re-run the failed and never-started indexes of a Job

    Usage: kubectl indexed retry [OPTIONS] [JOB] [-- <CMD [ARG]>...]

    Arguments:
      [JOB]
              Job to retry, or one of its retries [default: the newest Indexed Job]

      [CMD [ARG]]...
              Command to run instead of the Job's, after two dashes

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Selection:
      -i, --index <INDEXES>
              Retry only these indexes, as in 0-3,7 or failed
              
              Takes numbers and ranges with steps (0-3,7,9-20:2) and the words failed and pending,
              separated by commas. A leading ! excludes.

          --status <STATUS>
              Retry only indexes with this status; separate several by commas

              Possible values:
              - failed:  The index failed and has no retries left
              - pending: The Job ended before the index did, or before it started

          --reason <REASON>
              Retry only indexes whose last attempt failed for this reason, as in OOMKilled
              
              Separate several by commas.

          --exit-code <CODES>
              Retry only indexes whose last attempt ended with these codes, as in 137 or 1,3-5

    Changes:
          --image <IMAGE>
              Use this image for the worker [default: the Job's]

          --cpu <AMOUNT>
              Request this CPU per index, as in 2, 500m:2 or x2 [default: the Job's]
              
              500m:2 requests 500m and limits to 2. x2 multiplies the Job's value.

          --memory <AMOUNT>
              Request and limit memory per index, as in 2Gi, 1Gi:2Gi or x2 [default: the Job's]
              
              1Gi:2Gi requests 1Gi and limits to 2Gi. x2 multiplies the Job's value.

          --retries <N>
              Retry each failed index up to N times [default: the Job's]

      -j, --parallelism <N>
              Run N indexes at once [default: the Job's]

          --init-image <IMAGE>
              Use this image for init containers; it needs a POSIX shell

    Following:
      -d, --detach
              Return after submitting the Job

      -k, --keep-order
              Print the output in index order
              
              Early output waits in memory, then on disk.

          --prefix <PREFIX>
              Start each line of output with this prefix

              Possible values:
              - auto:  Index and item, unless all lines come from one index
              - index: Index and item in brackets
              - pod:   Pod and container, as kubectl logs --prefix prints them
              - none:  No prefix
              
              [default: auto]

      -q, --quiet
              Print no progress and no summary

    Output:
          --dry-run[=<WHERE>]
              Print the objects instead of creating them
              
              The Job that they come from is still read from the cluster.

              Possible values:
              - none:   Make the change
              - client: Check it here, and print it
              - server: Have the server check it without storing it, and print the server's answer
              
              [default: none]

      -o, --output <FORMAT>
              Print the objects in this format

              Possible values:
              - yaml
              - json
              - name
              - jsonpath=:         Fields selected by a template, as in jsonpath='{.metadata.name}'
              - jsonpath-as-json=: The same fields as JSON
              - jsonpath-file=:    Fields selected by a template in a file
              - go-template=:      A Go template, as in go-template='{{.metadata.name}}'
              - custom-columns=:   A table of fields, as in custom-columns=NAME:.metadata.name

          --field-manager <NAME>
              Record this field manager for the fields that are set
              
              [default: kubectl-indexed]

    [the cluster options]
    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Examples:
      # Failed and never-started indexes of the newest Job
      kubectl indexed retry

      # Some of them
      kubectl indexed retry train --index 3,7
      kubectl indexed retry train --exit-code 75

      # Indexes that ran out of memory, with twice the memory
      kubectl indexed retry train --reason OOMKilled --memory x2

      # Show what would run
      kubectl indexed retry train --dry-run=client -o yaml

      # With another image or command
      kubectl indexed retry train --image bash
      kubectl indexed retry train -- sh -c 'echo smaller batches'
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_suspend() {
    assert_snapshot!(own_part("suspend"), @"
    ── stdout
    Suspend Jobs: stop their running Pods and start no more

    Usage: kubectl indexed suspend [OPTIONS] [JOB]...

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Selection:
      -l, --selector <SELECTOR>
              Change the Jobs with these labels, as in kubectl get -l

          --all
              Change all unfinished Indexed Jobs of the namespace

      -y, --yes
              Stop the running Pods of several Jobs without confirmation

      [JOB]...
              Jobs to change [default: the newest Indexed Job]

    Output:
          --dry-run[=<WHERE>]
              Print the change instead of making it

              Possible values:
              - none:   Make the change
              - client: Check it here, and print it
              - server: Have the server check it without storing it, and print the server's answer
              
              [default: none]

      -o, --output <FORMAT>
              Print the changed Jobs in this format

              Possible values:
              - yaml
              - json
              - name
              - jsonpath=:         Fields selected by a template, as in jsonpath='{.metadata.name}'
              - jsonpath-as-json=: The same fields as JSON
              - jsonpath-file=:    Fields selected by a template in a file
              - go-template=:      A Go template, as in go-template='{{.metadata.name}}'
              - custom-columns=:   A table of fields, as in custom-columns=NAME:.metadata.name

          --field-manager <NAME>
              Record this field manager for the fields that are set
              
              [default: kubectl-indexed]

    [the cluster options]
    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Examples:
      # Stop the running indexes; resume starts them again, completed indexes stay completed
      kubectl indexed suspend indexed-job

      # All Jobs with a label, without confirmation
      kubectl indexed suspend -l team=vision -y
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_resume() {
    assert_snapshot!(own_part("resume"), @"
    ── stdout
    Resume suspended Jobs

    Usage: kubectl indexed resume [OPTIONS] [JOB]...

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Selection:
      -l, --selector <SELECTOR>
              Change the Jobs with these labels, as in kubectl get -l

          --all
              Change all unfinished Indexed Jobs of the namespace

      [JOB]...
              Jobs to change [default: the newest Indexed Job]

    Output:
          --dry-run[=<WHERE>]
              Print the change instead of making it

              Possible values:
              - none:   Make the change
              - client: Check it here, and print it
              - server: Have the server check it without storing it, and print the server's answer
              
              [default: none]

      -o, --output <FORMAT>
              Print the changed Jobs in this format

              Possible values:
              - yaml
              - json
              - name
              - jsonpath=:         Fields selected by a template, as in jsonpath='{.metadata.name}'
              - jsonpath-as-json=: The same fields as JSON
              - jsonpath-file=:    Fields selected by a template in a file
              - go-template=:      A Go template, as in go-template='{{.metadata.name}}'
              - custom-columns=:   A table of fields, as in custom-columns=NAME:.metadata.name

          --field-manager <NAME>
              Record this field manager for the fields that are set
              
              [default: kubectl-indexed]

    [the cluster options]
    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Examples:
      # Run the indexes that have not completed
      kubectl indexed resume indexed-job

      # All suspended Indexed Jobs of the namespace
      kubectl indexed resume --all
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_scale() {
    assert_snapshot!(own_part("scale"), @"
    ── stdout
    Change how many indexes of a Job run at once

    Usage: kubectl indexed scale [OPTIONS] [JOB]...

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Selection:
      -l, --selector <SELECTOR>
              Change the Jobs with these labels, as in kubectl get -l

          --all
              Change all unfinished Indexed Jobs of the namespace

      -y, --yes
              Stop the running Pods of several Jobs without confirmation

      [JOB]...
              Jobs to change [default: the newest Indexed Job]

    Changes:
      -j, --parallelism <N>
              Run at most N indexes at once; 0 runs none

          --completions <N>
              Change the number of indexes of an elastic Job
              
              An elastic Job runs all of its indexes at once: the parallelism changes with the number of
              indexes.

    Output:
          --dry-run[=<WHERE>]
              Print the change instead of making it

              Possible values:
              - none:   Make the change
              - client: Check it here, and print it
              - server: Have the server check it without storing it, and print the server's answer
              
              [default: none]

      -o, --output <FORMAT>
              Print the changed Jobs in this format

              Possible values:
              - yaml
              - json
              - name
              - jsonpath=:         Fields selected by a template, as in jsonpath='{.metadata.name}'
              - jsonpath-as-json=: The same fields as JSON
              - jsonpath-file=:    Fields selected by a template in a file
              - go-template=:      A Go template, as in go-template='{{.metadata.name}}'
              - custom-columns=:   A table of fields, as in custom-columns=NAME:.metadata.name

          --field-manager <NAME>
              Record this field manager for the fields that are set
              
              [default: kubectl-indexed]

    [the cluster options]
    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Examples:
      # Run at most twenty indexes at once
      kubectl indexed scale indexed-job --parallelism 20

      # Run none for now
      kubectl indexed scale indexed-job -j 0

      # Resize an elastic Job, which runs all of its indexes at once
      kubectl indexed scale workers --completions 8
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_delete() {
    assert_snapshot!(own_part("delete"), @"
    ── stdout
    Delete Jobs with their Pods and ConfigMaps

    Usage: kubectl indexed delete [OPTIONS] [JOB]...

    Arguments:
      [JOB]...
              Jobs to delete

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Selection:
          --finished
              Delete only completed and failed Jobs

          --older-than <AGE>
              Delete only Jobs older than this, as in 1d or 12h
              
              The age counts from the end of the Job, or from its creation if it has not ended.

      -l, --selector <SELECTOR>
              Delete only Jobs with these labels, as in kubectl get -l

          --all
              Delete all Indexed Jobs of the namespace

      -A, --all-namespaces
              Delete in all namespaces

    Deletion:
      -y, --yes
              Delete without confirmation
              
              Without this flag, delete asks before it deletes more than one Job, or an unfinished Job
              that was not named.

          --keep-results <DIR>
              Save the results of each Job to DIR/JOB first
              
              A Job is kept if one of its results can't be read.

          --wait[=<BOOL>]
              Wait until the Job and its Pods are gone [default: true]
              
              --wait=false returns at once.

          --ignore-not-found
              Exit with 0 if a Job does not exist

    Output:
          --dry-run[=<WHERE>]
              Print the Jobs instead of deleting them

              Possible values:
              - none:   Make the change
              - client: Check it here, and print it
              - server: Have the server check it without storing it, and print the server's answer
              
              [default: none]

      -o, --output <FORMAT>
              Print only the names of the deleted Jobs
              
              [possible values: name]

    [the cluster options]
    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Examples:
      # A Job with its Pods and items
      kubectl indexed delete indexed-job

      # Jobs that ended more than a day ago, without confirmation
      kubectl indexed delete --finished --older-than 1d -y

      # Save the results first
      kubectl indexed delete --finished --keep-results out -y

      # Show which Jobs would be deleted
      kubectl indexed delete -l team=vision --finished --dry-run=client
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_completion() {
    assert_snapshot!(own_part("completion"), @"
    ── stdout
    Print the completion script of a shell

    Usage: kubectl indexed completion [OPTIONS] <SHELL>

    Arguments:
      <SHELL>
              Print the script of this shell; kubectl prints the executable that kubectl runs to
              complete plugins
              
              [possible values: bash, zsh, fish, powershell, kubectl]

    Options:
      -h, --help
              Print help (see a summary with '-h')

    [the cluster options]
    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Examples:
      # In this shell
      source <(kubectl indexed completion bash)

      # In every new bash
      mkdir -p ~/.local/share/bash-completion/completions
      kubectl indexed completion bash > ~/.local/share/bash-completion/completions/kubectl-indexed
    ── stderr
    ── exit code 0
    ");
}

/// Returns the help of a verb without the options that every verb has: the help of the program shows them.
fn own_part(verb: &str) -> String {
    let outcome = Sandbox::new().run(&[verb, "--help"]).to_string();
    let common = cluster_options(&outcome).to_owned();
    // Their layout depends on the options of the verb, so only their names are compared.
    let flags = |text: &str| -> Vec<String> {
        text.split_whitespace().filter(|word| word.starts_with("--")).map(str::to_owned).collect()
    };
    let program = Sandbox::new().run(&["--help"]).to_string();
    assert_eq!(flags(&common), flags(cluster_options(&program)), "{verb}");
    outcome.replace(&common, "[the cluster options]\n")
}

fn cluster_options(help: &str) -> &str {
    let start = help.find("Cluster options:\n").expect("every help has the cluster options");
    let mut end = start;
    for (number, line) in help[start..].split_inclusive('\n').enumerate() {
        if number > 0 && line.starts_with(|c: char| !c.is_whitespace()) {
            break;
        }
        end += line.len();
    }
    &help[start..end]
}

/// A new verb gets its snapshot here.
#[test]
fn of_results() {
    assert_snapshot!(own_part("results"), @"
    ── stdout
    Collect the output, exit code and times of each index

    Usage: kubectl indexed results [OPTIONS] [JOB]

    Arguments:
      [JOB]
              Job with the results [default: the newest Indexed Job]

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Selection:
      -i, --index <INDEXES>
              Collect only these indexes, as in 0-3,7 or failed
              
              Takes numbers and ranges with steps (0-3,7,9-20:2) and the words failed, succeeded,
              running, pending and all, separated by commas. A leading ! excludes.

          --only-this
              Leave out the Jobs that this Job retries and those that retry it

    Source:
          --from <SOURCE>
              Read the output from here

              Possible values:
              - log:                 The worker's stdout and stderr, as long as its node keeps the log
              - termination-message: The worker's /dev/termination-log, at most 4 KiB; needs no request
                per index
              
              [default: log]

      -c, --container <NAME>
              Read this container [default: the Pod's default container]

    Order:
      -f, --follow
              Collect each index when it finishes, until the Job ends

      -k, --keep-order
              Print in index order also with --follow

    Output:
          --to <DIR>
              Write each output to a file in this directory, and all rows to results.jsonl

          --name-by <KEY>
              Name the files by index or item [default: index]

              Possible values:
              - index: 3.out
              - item:  The item, with characters replaced that a file name can't have

      -o, --output <FORMAT>
              Print the results in this format [default: text; none with --to or --joblog]

              Possible values:
              - jsonl:             One object per line
              - csv:               Comma-separated values, the output in the last column
              - tsv:               Tab-separated values, the output in the last column
              - json:              One object with a versioned schema
              - text:              Only the outputs, one after the other
              - jsonpath=:         Fields selected by a template, as in jsonpath='{.metadata.name}'
              - jsonpath-as-json=: The same fields as JSON
              - jsonpath-file=:    Fields selected by a template in a file
              - go-template=:      A Go template, as in go-template='{{.metadata.name}}'
              - custom-columns=:   A table of fields, as in custom-columns=NAME:.metadata.name

          --no-headers
              Print no line of column names

          --no-output
              Leave out the outputs, and don't fetch them

          --last-line
              Print only the last non-empty line of each output; files keep all lines

          --trim
              Remove white space around each output; files keep it

          --parse-json
              Parse each output as JSON

          --joblog <FILE>
              Write a job log in the format of GNU parallel to this file; - is stdout
              
              Seq is the index + 1.

    [the cluster options]
    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Examples:
      # The output of each index of the newest Job, in order
      kubectl indexed results

      # One file per index; a second call fetches only missing files
      kubectl indexed results indexed-job --to out
      kubectl indexed results indexed-job --to by-item --name-by item

      # One row per index, with output, exit code and times
      kubectl indexed results -o csv --trim > results.csv
      kubectl indexed results -o jsonl --parse-json

      # Only the last line of each output, after lines of progress
      kubectl indexed results -o csv --last-line

      # Rows as the indexes finish
      kubectl indexed results -f -o jsonl

      # A job log in the format of GNU parallel
      kubectl indexed results --joblog jobs.log
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_config() {
    assert_snapshot!(own_part("config"), @"
    ── stdout
    Show the configured defaults and their sources

    Usage: kubectl indexed config [OPTIONS]

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Output:
      -o, --output <FORMAT>
              Print the settings in this format
              
              [possible values: yaml, json]

          --example
              Print a configuration file with every setting commented out

    [the cluster options]
    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Precedence:
      Flag, --template, environment variable, configuration file, default of the program. Labels,
      annotations and node selectors are merged by key. Any other list comes from one source.

      The file is $KUBECTL_INDEXED_CONFIG, else kubectl-indexed/config.yaml in $XDG_CONFIG_HOME,
      in ~/.config, or on Windows in %APPDATA%. Its keys are the names of the flags.

      The variable of --init-image is KUBECTL_INDEXED_INIT_IMAGE; all others follow this form.
      Lists in variables are separated by commas.

    Examples:
      # The value of each setting, and its source
      kubectl indexed config

      # A configuration file to start from
      kubectl indexed config --example > config.yaml

      # Another file and a variable, for one command
      KUBECTL_INDEXED_CONFIG=config.yaml KUBECTL_INDEXED_PREFIX=none kubectl indexed config -o yaml
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_version() {
    assert_snapshot!(own_part("version"), @"
    ── stdout
    Show the versions of the plugin and the server

    Usage: kubectl indexed version [OPTIONS]

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Output:
          --client
              Print only the version of the plugin, without a request to the server

      -o, --output <FORMAT>
              Print the versions in this format
              
              [possible values: yaml, json]

    [the cluster options]
    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Examples:
      # Versions of the plugin and the server, and the server's features
      kubectl indexed version

      # Only the plugin, without a request to the server
      kubectl indexed version --client

      # For a script
      kubectl indexed version -o json
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_help() {
    assert_snapshot!(Sandbox::new().run(&["help", "--help"]), @"
    ── stdout
    Print a chapter of the manual, or the help of a verb

    Usage: kubectl indexed help [OPTIONS] [TOPIC]

    Arguments:
      [TOPIC]
              Chapter or verb [default: the program, with a list of the chapters]

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Cluster options:
      -n, --namespace <NAME>
              Work in this namespace [default: the context's]

          --kubeconfig <FILE>
              Use this kubeconfig file [default: $KUBECONFIG, then ~/.kube/config]

          --context <NAME>
              Use this context of the kubeconfig

          --cluster <NAME>
              Use this cluster of the kubeconfig

          --user <NAME>
              Use this user of the kubeconfig

      -s, --server <URL>
              Connect to the API server at this address

          --token <TOKEN>
              Authenticate with this bearer token

          --as <USER>
              Impersonate this user

          --as-group <GROUP>
              Impersonate this group; can be repeated

          --as-uid <UID>
              Impersonate this UID

          --as-user-extra <KEY=VALUE>
              Impersonate a user with this extra field; can be repeated, also with the same key

          --username <NAME>
              Authenticate with this user name (basic authentication; API servers since 1.19 refuse it)

          --password <PASSWORD>
              Authenticate with this password (basic authentication)

          --request-timeout <DURATION>
              Give up a request after this time, as in 30s or 5m; 0 means never
              
              [default: 1m]

          --certificate-authority <FILE>
              Verify the server with the certificate authority in this file

          --client-certificate <FILE>
              Authenticate with the certificate in this file

          --client-key <FILE>
              Authenticate with the private key in this file

          --tls-server-name <NAME>
              Expect this name in the server's certificate

          --insecure-skip-tls-verify
              Accept any server certificate; others may then read and change the traffic

          --disable-compression
              Ask the server for uncompressed responses

      -v, --verbosity <LEVEL>
              Print requests on stderr: 6 status and time, 7 adds headers, 8 bodies, 9 curl commands; no
              tokens

    Display:
          --color <WHEN>
              Use colour: auto, always or never
              
              auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
              
              [default: auto]

          --plain[=<BOOL>]
              Print no colour, no symbols and no lines that change in place, as for a screen reader

    Examples:
      # Sources and formats of items
      kubectl indexed help items

      # The flags of a verb
      kubectl indexed help retry
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn every_verb_has_its_test() {
    let tests = file("tests/integration/help.rs");
    for verb in verbs() {
        assert!(tests.contains(&format!("fn of_{verb}()")), "the help of {verb} has no snapshot");
    }
}

#[test]
fn without_a_verb() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run(&[]);
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("", 2));
    assert_eq!(outcome.stderr, sandbox.run(&["-h"]).stdout, "the help, on stderr");
}

#[test]
fn of_a_mistyped_verb() {
    assert_snapshot!(Sandbox::new().run(&["descrbe"]), @r#"
    ── stdout
    ── stderr
    error: unknown verb "descrbe"
    hint: did you mean describe?
    ── exit code 2
    "#);
}

#[test]
fn of_a_mistyped_flag() {
    assert_snapshot!(Sandbox::new().run(&["run", "--item", "a,b", "--", "rev"]), @"
    ── stdout
    ── stderr
    error: run has no flag --item
    hint: did you mean --items?
    ── exit code 2
    ");
}

#[test]
fn of_an_index_after_the_job() {
    assert_snapshot!(Sandbox::new().run(&["logs", "train", "3"]), @r#"
    ── stdout
    ── stderr
    error: unexpected argument "3" for logs
    hint: kubectl indexed logs train --index 3
    ── exit code 2
    "#);
    let other = Sandbox::new().run(&["logs", "train", "eval"]);
    assert!(other.code == 2 && !other.stderr.contains("--index"), "{other}");
}

#[test]
fn of_an_unknown_flag() {
    assert_snapshot!(Sandbox::new().run(&["list", "--everything"]), @"
    ── stdout
    ── stderr
    error: list has no flag --everything
    hint: kubectl indexed list --help lists its flags
    ── exit code 2
    ");
}

#[test]
fn the_version() {
    let outcome = Sandbox::new().run(&["--version"]);
    assert_eq!(outcome.stdout, format!("kubectl-indexed {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!((outcome.stderr.as_str(), outcome.code), ("", 0));
}

/// A plugin is called `kubectl indexed`; a program with another name keeps its name.
#[test]
fn names_the_program_as_it_was_started() {
    let sandbox = Sandbox::new();
    let usage = |name: &str| {
        let outcome = sandbox.outcome(sandbox.command(PROGRAM).arg0(name).arg("--help"));
        outcome.stdout.lines().find(|line| line.starts_with("Usage: ")).unwrap().to_owned()
    };
    assert_eq!(usage("kubectl-indexed"), "Usage: kubectl indexed [OPTIONS] <COMMAND>");
    assert_eq!(usage("/opt/bin/kubectl-indexed"), "Usage: kubectl indexed [OPTIONS] <COMMAND>");
    assert_eq!(usage("ki"), "Usage: ki [OPTIONS] <COMMAND>");
}

/// Only clap's own flags are under the heading "Options".
#[test]
fn every_flag_has_a_heading() {
    for verb in verbs() {
        let help = Sandbox::new().run(&[&verb, "-h"]).stdout;
        let options = help.split("\nOptions:\n").nth(1).unwrap().split("\n\n").next().unwrap();
        let flags: Vec<_> = options.lines().filter_map(|line| line.trim().split("  ").next()).collect();
        assert_eq!(flags, ["-h, --help"], "{verb}");
        assert!(help.lines().count() <= 48, "{verb} -h is one screen:\n{help}");
    }
}

/// Each example is a comment and the command lines below it.
#[test]
fn every_verb_has_examples() {
    for verb in verbs() {
        let help = Sandbox::new().run(&[&verb, "--help"]).stdout;
        let examples = help.split("\nExamples:\n").nth(1).unwrap_or_else(|| panic!("{verb} has no example"));
        for example in examples.trim_end().split("\n\n") {
            let mut lines = example.lines();
            assert!(lines.next().is_some_and(|line| line.starts_with("  # ")), "{verb}: {example}");
            let commands: Vec<_> = lines.collect();
            assert!(!commands.is_empty() && commands.iter().all(|line| line.starts_with("  ")), "{verb}: {example}");
            assert!(commands.iter().all(|line| !line.starts_with("  #")), "{verb}: {example}");
        }
    }
}

#[test]
fn help_is_a_verb_too() {
    let sandbox = Sandbox::new();
    for verb in verbs() {
        assert_eq!(sandbox.run(&["help", &verb]).stdout, sandbox.run(&[&verb, "--help"]).stdout);
    }
    assert_eq!(sandbox.run(&["help"]).stdout, sandbox.run(&["--help"]).stdout);
    assert_eq!(sandbox.run(&["help", "ls"]).stdout, sandbox.run(&["list", "--help"]).stdout);
}

#[test]
fn a_verb_of_another_tool_gets_a_hint() {
    let hints = ["submit", "stop", "kill", "squeue", "top", "cat", "explain", "resubmit", "pause", "cp"].map(|word| {
        let outcome = Sandbox::new().run(&[word]);
        assert_eq!(outcome.code, 2);
        outcome.stderr.lines().find_map(|line| Some(format!("{word}: {}", line.strip_prefix("hint: ")?))).unwrap()
    });
    assert_snapshot!(hints.join("\n"), @"
    submit: kubectl indexed run --items-file FILE -- COMMAND runs a command for each line of a file
    stop: kubectl indexed suspend JOB stops the Pods of a Job and keeps it; kubectl indexed delete JOB deletes it
    kill: kubectl indexed suspend JOB stops the Pods of a Job and keeps it; kubectl indexed delete JOB deletes it
    squeue: kubectl indexed list lists the Jobs; kubectl indexed indexes JOB lists the indexes of one
    top: kubectl top pods -l batch.kubernetes.io/job-name=JOB shows the CPU and memory of a Job's Pods
    cat: kubectl indexed logs JOB prints the logs by index; kubectl indexed results JOB collects the outputs
    explain: kubectl indexed describe JOB shows a Job and its events
    resubmit: kubectl indexed retry JOB runs its failed indexes again
    pause: kubectl indexed suspend JOB stops a Job until kubectl indexed resume JOB
    cp: kubectl indexed results JOB --to DIR writes the output of each index to a file; kubectl cp copies files from a running Pod
    ");
}

#[test]
fn every_usage_names_the_program_as_it_was_started() {
    for verb in verbs() {
        for (started_as, name) in [("kubectl-indexed", "kubectl indexed"), ("ki", "ki")] {
            let sandbox = Sandbox::new();
            let outcome = sandbox.outcome(sandbox.command(PROGRAM).arg0(started_as).args([&verb, "--help"]));
            assert!(outcome.stdout.contains(&format!("Usage: {name} {verb} ")), "{started_as} {verb}: {outcome}");
        }
    }
}

/// A hidden alias does the same as its verb; help and completion don't list it.
#[test]
fn verbs_of_other_tools_with_the_same_meaning_work() {
    let sandbox = Sandbox::new();
    for (typed, ours) in [
        ("rm train", "delete train"),
        ("cancel train", "suspend train"),
        ("ps", "list"),
        ("jobs", "list"),
        ("get jobs", "list"),
        ("get jobs -A", "list -A"),
        ("status train", "describe train"),
        ("job train", "describe train"),
        ("describe job train", "describe train"),
        ("delete job train", "delete train"),
        ("logs job train", "logs train"),
    ] {
        let outcomes = [typed, ours].map(|line| sandbox.run(&line.split(' ').collect::<Vec<_>>()));
        assert!(outcomes[0].stderr.contains("no cluster is configured"), "{typed}: {}", outcomes[0]);
        assert_eq!(outcomes[0].to_string(), outcomes[1].to_string(), "{typed}");
    }
    let help = sandbox.run(&["--help"]).stdout;
    for alias in ["rm", "cancel", "ps", "jobs", "status", "job"] {
        let completed = sandbox.run(&["__complete", alias]).stdout;
        assert!(!completed.lines().any(|line| line.starts_with(&format!("{alias}\t"))), "{completed}");
        let is_listed =
            |line: &str| line.trim_start().starts_with(&format!("{alias} ")) || line.contains(&format!(", {alias}]"));
        assert!(!help.lines().any(is_listed), "{alias}: {help}");
    }
}

#[test]
fn get_with_a_name_leads_to_describe() {
    assert_snapshot!(Sandbox::new().run(&["get", "job", "train"]), @r#"
    ── stdout
    ── stderr
    error: unexpected argument "train" for list
    hint: kubectl indexed describe train
    ── exit code 2
    "#);
}

#[test]
fn the_short_help_of_run() {
    assert_snapshot!(Sandbox::new().run(&["run", "-h"]), @"
    ── stdout
    Run a command for each item, as one Indexed Job

    Usage: kubectl indexed run [OPTIONS] [NAME] [-- <CMD [ARG]>...]

    Arguments:
      [NAME]          Name of the Job [default: generated from the command]
      [CMD [ARG]]...  Command to run; {} is the item

    Options:
      -h, --help  Print help (see more with '--help')

    Items:
          --items <A,B,…>       Use these items, separated by commas
      -a, --items-file <FILE>   Read items from a file, one per line; - is stdin
          --range <RANGE>       Use numbers as items, as in 1-100:3 or 1,5,9-12
          --param <NAME=A,B,…>  Add a column; items are all combinations of columns
          --resume <JOB>        Skip the items that succeeded in this Job

    Job:
      -j, --parallelism <N>  Run N indexes at once [default: all, at most 100]
          --template <FILE>  Start from a Job, CronJob or PodTemplate manifest

    Policies:
          --retries <N>         Retry each failed index up to N times [default: 0]
          --fail-fast           Fail the Job at its first failed index
          --timeout <DURATION>  Fail the Job after this time [default: never]

    Worker:
          --image <IMAGE>    Run this image [default: docker.io/library/busybox]
      -e, --env <KEY=VALUE>  Set an environment variable of the worker
          --cpu <AMOUNT>     Request this CPU per index, as in 2 or 500m
          --memory <AMOUNT>  Request and limit memory per index, as in 512Mi

    Following:
      -d, --detach         Return after submitting the Job
      -k, --keep-order     Print the output in index order
          --results <DIR>  Write the output of each index to this directory

    Output:
          --dry-run[=<WHERE>]  Print the objects instead of creating them [default: none] [possible
                               values: none, client, server]

    Cluster options:
      -n, --namespace <NAME>  Work in this namespace [default: the context's]
          --context <NAME>    Use this context of the kubeconfig

    Example:
      kubectl indexed run --items foo,bar,baz -- echo {}
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn color_is_chosen_by_flag() {
    let sandbox = Sandbox::new();
    let is_colored = |args: &[&str]| {
        let outcome = sandbox.run(args);
        (outcome.stdout + &outcome.stderr).contains('\u{1b}')
    };
    assert!(!is_colored(&["help", "items"]) && !is_colored(&["list", "--help"]) && !is_colored(&["lst"]));
    assert!(is_colored(&["list", "--help", "--color=always"]));
    assert!(is_colored(&["lst", "--color", "always"]), "an error");
    assert!(!is_colored(&["lst", "--color=always", "--plain"]));
    assert!(!is_colored(&["list", "--help", "--color=never"]));
    let environment = |args: &[&str]| {
        let mut command = sandbox.command(PROGRAM);
        sandbox.outcome(command.arg0("kubectl-indexed").env("KUBECTL_INDEXED_COLOR", "always").args(args)).stderr
    };
    assert!(environment(&["lst"]).contains('\u{1b}'));
    assert!(!environment(&["lst", "--color=never"]).contains('\u{1b}'));
}

/// CONTRIBUTING shows a real flag: at most three files, and each contains it.
#[test]
fn contributing_shows_how_a_flag_is_added() {
    let text = file(".github/CONTRIBUTING.md");
    let section = |title: &str| text.split(&format!("## {title}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    let files = |text: &str| {
        let words: Vec<_> = text.split('`').map(str::to_owned).collect();
        words
            .into_iter()
            .filter(|word| word.starts_with("src/") && word.split('.').next_back() == Some("rs"))
            .collect::<Vec<_>>()
    };
    let flag = section("Add a flag");
    assert!(flag.contains("--priority-class"));
    let steps: Vec<_> = flag.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).collect();
    assert!(steps.len() <= 3, "{flag}");
    for step in steps {
        let [path] = &files(step)[..] else { panic!("one file: {step}") };
        assert!(file(path).contains("priority_class"), "{path}");
    }
    for path in files(section("Add a verb")).iter().filter(|path| !path.contains("VERB")) {
        assert!(!file(path).is_empty(), "{path}");
    }
}
