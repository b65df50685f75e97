//! Help texts, and the answers to mistyped verbs and flags.

use std::os::unix::process::CommandExt as _;

use insta::assert_snapshot;

use crate::readme::verbs;
use crate::support::{PROGRAM, Sandbox, file};

#[test]
fn of_the_program() {
    assert_snapshot!(Sandbox::new().run(&["--help"]), @"
    ── stdout
    Map a command over a list of items on a Kubernetes cluster, one index each

    Usage: kubectl indexed [OPTIONS] <COMMAND>

    Commands:
      run         Run a command once for each item, as one Indexed Job, and follow it
      describe    Show a Job: all that kubectl describe prints, and what it leaves out
      list        List the Indexed Jobs of a namespace, newest first [aliases: ls, get]
      indexes     List the indexes of a Job, and how each fares [alias: tasks]
      logs        Print the logs of a Job by index
      results     Collect what each index of a Job gave: its output, exit code and times
      wait        Wait until Jobs have completed or failed
      watch       Watch a Job on a live screen until it ends
      retry       Run again what of a Job failed or never ran
      suspend     Hold Jobs back: their running Pods end, and no index starts
      resume      Let suspended Jobs go on
      scale       Change how many indexes of Jobs may run at once
      delete      Delete Jobs with their Pods and ConfigMaps
      completion  Print the completion script of a shell
      config      Show the standing defaults, and where each comes from
      version     Show the versions of this program and the server, and what the server can do
      help        Print a chapter of the manual, or the help of a verb

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Cluster options:
      -n, --namespace <NAME>              Namespace to work in
          --kubeconfig <FILE>             kubeconfig file to use instead of $KUBECONFIG and
                                          ~/.kube/config
          --context <NAME>                Context of the kubeconfig to use
          --cluster <NAME>                Cluster of the kubeconfig to use
          --user <NAME>                   User of the kubeconfig to use
      -s, --server <URL>                  Address and port of the API server
          --token <TOKEN>                 Bearer token for the API server
          --as <USER>                     User to impersonate
          --as-group <GROUP>              Group to impersonate; can be repeated
          --as-uid <UID>                  UID to impersonate
          --as-user-extra <KEY=VALUE>     Extra of the user to impersonate; can be repeated, also with
                                          the same key
          --username <NAME>               User name for basic authentication, which proxies take, but no
                                          API server since 1.19
          --password <PASSWORD>           Password for basic authentication
          --request-timeout <DURATION>    How long the server may take to answer a request, as in 30s or
                                          5m; 0 waits for ever [default: 1m]
          --certificate-authority <FILE>  Certificate file of the authority that signed the server's
                                          certificate
          --client-certificate <FILE>     Certificate file to authenticate with
          --client-key <FILE>             Key file to authenticate with
          --tls-server-name <NAME>        Name to expect in the server's certificate
          --insecure-skip-tls-verify      Take any certificate from the server: anybody may then read
                                          and change what is sent
          --disable-compression           Ask the server not to compress its answers
      -v, --verbosity <LEVEL>             Print requests on stderr: 6 status and time, 7 also headers, 8
                                          also bodies, 9 as curl commands; no tokens

    Display:
          --plain[=<BOOL>]  Neither colour nor lines that are redrawn in place nor drawn symbols, as for
                            a screen reader

    Manual (kubectl indexed help CHAPTER):
      items              lists, files and numbers to work on, and their formats
      commands           how an item reaches the command; placeholders, shells, templates
      reading-logs       logs of some or all indexes, followed or later
      results-and-retry  results, retry and resume
      policies           retries, limits and early ends
      files              folders of results and logs
      coming-from        the commands of xargs, GNU parallel, Slurm and HyperQueue
      configuration      defaults, colour and completion
      troubleshooting    why indexes wait, hang or fail, and what helps
      reference          names, exit codes, output formats, the connection
      flags              every verb and flag

    Exit codes:
      0    the Job completed, or the verb did what it was asked
      1    the Job failed, or something went wrong
      2    wrong usage: nothing was created
      3    timed out waiting
      130  interrupted (Ctrl-C, SIGTERM, SIGHUP); the Job goes on
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_run() {
    assert_snapshot!(Sandbox::new().run(&["run", "--help"]), @r#"
    ── stdout
    Run a command once for each item, as one Indexed Job, and follow it

    Usage: kubectl indexed run [OPTIONS] [NAME] [-- <CMD [ARG]>...]

    Arguments:
      [NAME]
              Name of the Job; made from the command's name when left out

      [CMD [ARG]]...
              The command to run for each item, after two dashes; ::: A B and :::+ A B after it list
              items

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Items:
          --items <A,B,…>
              Items, separated by commas; quote one that has a comma, as in 'a,"b,c"'

      -a, --items-file <FILE>
              File with one item a line, - for stdin; .csv, .tsv, .json and .jsonl are read as what they
              are
              
              [alias: --each-line]

          --format <FORMAT>
              How --items-file is written, whatever its name ends in

              Possible values:
              - lines: One item a line
              - csv:   Comma-separated columns, named by the first line
              - tsv:   Tab-separated columns, named by the first line
              - json:  One array of strings and numbers, or of flat objects
              - jsonl: One string, number or flat object a line

          --colsep <CHAR>
              Character between the columns of --items-file; lines get the columns {1}, {2}, …

          --no-header[=<BOOL>]
              The first line of a CSV or TSV file is an item; columns are {1}, {2}, …
              
              [possible values: true, false]

      -0, --null
              A NUL byte, not a line break, ends each item of --items-file

          --range <RANGE>
              Numbers as items, as in 1-100:3 or 1,5,9-12; %N at the end runs N at once
              
              [alias: --array]

          --param <NAME=A,B,…>
              Values of a column; repeated, every combination is an item

          --link
              Pair the values of several --param or :::, instead of combining each with each

          --items-configmap <NAME[/KEY]>
              List that is in the cluster, used in place: a ConfigMap with the keys 0, 1, …, or one key
              with an item a line

          --completions <N>
              How many indexes to run when there are no items

          --unique
              Leave out an item that was there before

          --skip <N>
              Leave out the first N items

          --shuffle[=<SEED>]
              Mix the items; the same SEED, which is said, gives the same order

          --first <N>
              Take no more than N items: the first, or with --shuffle a sample

          --resume <JOB>
              Leave out what has succeeded in JOB, by content: run only items that are new, changed or
              have not

    Handing over:
          --item-as <FORM>
              How an item reaches the worker [default: arg if the command has {} or {COLUMN}, else file]

              Possible values:
              - file:  In a file, appended to the command unless the command names it
              - arg:   In the command's arguments, in place of {} or {COLUMN}
              - env:   In the variable ITEM, and one variable for each column
              - stdin: On standard input, which takes a shell in the image
              - index: Not at all: the worker goes by its index

          --item-path <PATH>
              File in which the worker finds its item [default: /input/data.txt]

          --no-placeholders
              Leave every brace of the command as it is

          --shell
              Hand over by a shell of the worker's image, also where the server could do without

          --no-shell
              Never rely on a shell in the worker's image

          --index-env <NAME>
              Variable with the index, besides JOB_COMPLETION_INDEX (downward API)

          --index-file <PATH>
              File in which the worker finds its index, written by Kubernetes itself (downward API)

          --compat <SYSTEM>
              Systems whose variables the worker finds too, so that their scripts run unchanged

              Possible values:
              - slurm:      SLURM_ARRAY_TASK_ID and the other variables of an array task
              - hyperqueue: HQ_TASK_ID, HQ_ENTRY
              - aws:        AWS_BATCH_JOB_ARRAY_INDEX, AWS_BATCH_JOB_ARRAY_SIZE
              - parallel:   PARALLEL_SEQ, which starts at 1

          --item-store <STORE>
              Where the list of items is kept

              Possible values:
              - auto:      The one that fits the list best: ConfigMaps
              - inline:    In the Job itself: an init container with a shell picks the item
              - configmap: In ConfigMaps owned by the Job: up to 1,000 items no init container is needed
              
              [default: auto]

          --init-image <IMAGE>
              Image of the init container that some ways of handing over need; it must have a POSIX
              shell

    Job:
          --name <NAME>
              Name of the Job

      -j, --parallelism <N>
              How many indexes may run at once [default: all, at most 100]

          --label <KEY=VALUE>
              Label for the Job and its Pods; can be repeated

          --annotation <KEY=VALUE>
              Annotation for the Job and its Pods; can be repeated

          --queue <NAME>
              Kueue queue that admits the Job

          --template <FILE>
              Job, CronJob or PodTemplate manifest (YAML or JSON; - for stdin) to start from

    Policies:
          --retries <N>
              How often a failed index is tried again, each index for itself [default: 0]

          --max-evictions <N>
              Restarts of an index after evictions, preemptions and lost nodes; without limit beside
              --retries [default: 10]

          --max-failed <N>
              How many indexes may fail; one more ends the Job [default: all, and the others still run]

          --fail-fast
              End the Job at the first index that has failed, its retries included

          --fail-on-exit <CODES>
              Exit codes of the command, as in 1,3-5, after which an index is not tried again

          --ignore-exit <CODES>
              Exit codes of the command that are no failure: the index is tried again, as often as it
              takes

          --success-indexes <INDEXES>
              Indexes that are enough: the Job completes once they have, and what still runs is ended

          --success-count <N>
              How many indexes are enough, of all or of --success-indexes

          --timeout <DURATION>
              How long all indexes together may take, as in 90s or 2h; then the Job fails, and what
              still runs is ended

          --index-timeout <DURATION>
              How long one attempt of an index may take, from when a node has its Pod, its image still
              to be pulled

          --ttl <DURATION>
              How long the Job, its Pods and their logs are kept once it has ended [default: until
              deleted]

    Worker:
          --image <IMAGE>
              Image of the worker [default: docker.io/library/busybox]

      -e, --env <KEY=VALUE>
              Environment variable of the worker; can be repeated

          --cpu <REQUEST[:LIMIT]>
              CPU request of each index, as in 2 or 500m; 500m:2 adds a limit

          --memory <REQUEST[:LIMIT]>
              Memory request and limit of each index, as in 512Mi; 512Mi:2Gi has a higher limit

          --gpu <N>
              GPUs for each index: a number of nvidia.com/gpu, or RESOURCE=NUMBER

          --workdir <PATH>
              Folder in which the command starts

          --image-pull-policy <POLICY>
              When the worker's image is pulled
              
              [possible values: Always, IfNotPresent, Never]

    Pod:
          --service-account <NAME>
              Service account of the Pods

          --node-selector <KEY=VALUE>
              Label that a node must have; can be repeated

          --toleration <KEY[=VALUE]:EFFECT>
              Taint that the Pods tolerate; can be repeated

          --image-pull-secret <NAME>
              Secret to pull images with; can be repeated

          --priority-class <NAME>
              Priority class of the Pods

    Following:
      -d, --detach
              Return after submitting instead of following

      -k, --keep-order
              Print what the indexes write in index order; what comes early waits, on disk where it is
              much

          --prefix <PREFIX>
              What starts each line of output

              Possible values:
              - auto:  Index and item, unless only one index can be meant
              - index: Index and item in brackets
              - pod:   Pod and container, as kubectl logs --prefix prints them
              - none:  Nothing
              
              [default: auto]

      -q, --quiet
              Neither progress nor summary, only the output and errors

          --results <DIR>
              New or empty folder for the output of each index, written as soon as it has ended, as by
              the verb results --to

    Output:
          --dry-run[=<WHERE>]
              Print the objects instead of creating them; a Job that they come from is read from the
              cluster all the same

              Possible values:
              - none:   Do it
              - client: Build and check it here, and print it
              - server: Have the server check it without storing it, and print what it would store
              
              [default: none]

      -o, --output <FORM>
              Form of the objects on stdout

              Possible values:
              - yaml
              - json
              - name
              - jsonpath=:         What a template takes out of the JSON, as in
                jsonpath='{.metadata.name}'
              - jsonpath-as-json=: The same as JSON
              - jsonpath-file=:    By a template in a file
              - custom-columns=:   A table of paths into the JSON, as in
                custom-columns=NAME:.metadata.name

          --field-manager <NAME>
              Name of the manager that the server records for the fields that are set
              
              [default: kubectl-indexed]

    Cluster options:
      -n, --namespace <NAME>
              Namespace to work in

          --kubeconfig <FILE>
              kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config

          --context <NAME>
              Context of the kubeconfig to use

          --cluster <NAME>
              Cluster of the kubeconfig to use

          --user <NAME>
              User of the kubeconfig to use

      -s, --server <URL>
              Address and port of the API server

          --token <TOKEN>
              Bearer token for the API server

          --as <USER>
              User to impersonate

          --as-group <GROUP>
              Group to impersonate; can be repeated

          --as-uid <UID>
              UID to impersonate

          --as-user-extra <KEY=VALUE>
              Extra of the user to impersonate; can be repeated, also with the same key

          --username <NAME>
              User name for basic authentication, which proxies take, but no API server since 1.19

          --password <PASSWORD>
              Password for basic authentication

          --request-timeout <DURATION>
              How long the server may take to answer a request, as in 30s or 5m; 0 waits for ever
              
              [default: 1m]

          --certificate-authority <FILE>
              Certificate file of the authority that signed the server's certificate

          --client-certificate <FILE>
              Certificate file to authenticate with

          --client-key <FILE>
              Key file to authenticate with

          --tls-server-name <NAME>
              Name to expect in the server's certificate

          --insecure-skip-tls-verify
              Take any certificate from the server: anybody may then read and change what is sent

          --disable-compression
              Ask the server not to compress its answers

      -v, --verbosity <LEVEL>
              Print requests on stderr: 6 status and time, 7 also headers, 8 also bodies, 9 as curl
              commands; no tokens

    Display:
          --plain[=<BOOL>]
              Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen
              reader

    Resuming:
      --resume JOB makes a new Job, its indexes numbered from 0, of those items of the list that
      have not succeeded in JOB, in its retries, or in the Jobs that it resumed itself. An item
      is the same by its bytes, of a table by all columns, wherever it stands; one that stands
      in the list twice has to succeed twice. Successes count where the command as it was
      written, the way an item is handed over, and the name of the image are the same; all else
      may differ, as variables, resources or other parts of a template. What the Job still runs
      has not succeeded. A list of --items-configmap is copied, and that of JOB must not have
      changed since. Nothing left is no error.

    Examples:
      # Reverse three words, one Pod each, and print what comes out
      kubectl indexed run --items foo,bar,baz -- rev

      # One Pod for each line of a file, the line as an argument
      kubectl indexed run --items-file words.txt -- echo {}

      # Each row of a table, its columns by name
      kubectl indexed run --items-file sizes.csv -- echo {name} is {size} wide

      # Every combination, as GNU parallel has it
      kubectl indexed run -- echo train by {1} at {2} ::: adam sgd ::: 0.1 0.01

      # Ten at a time, each retried twice, in an image of your own
      kubectl indexed run --items a.png,b.png -j 10 --retries 2 --image bash -- echo resize

      # Not for longer than an hour, and not after the first that fails
      kubectl indexed run --items-file words.txt --timeout 1h --fail-fast -- echo {}

      # Only what is new in the list, or has not succeeded in job rev-a
      kubectl indexed run --resume rev-a --items-file words.txt -- rev

      # See the manifest, or keep it
      kubectl indexed run --items foo,bar,baz --dry-run=client -o yaml -- rev

      # Start from a manifest with volumes, secrets and whatever else it needs
      kubectl indexed run --items foo,bar --template job.yaml
    ── stderr
    ── exit code 0
    "#);
}

#[test]
fn of_describe() {
    assert_snapshot!(own_part("describe"), @"
    ── stdout
    Show a Job: all that kubectl describe prints, and what it leaves out

    Usage: kubectl indexed describe [OPTIONS] [JOB]

    Arguments:
      [JOB]  The Job; the newest Indexed Job when left out

    Options:
      -h, --help  Print help

    What is shown:
          --only-this             Only this Job, without those that it retries and those that retry it
          --show-events[=<BOOL>]  Show the events of the Job [default: true] [possible values: true,
                                  false]

    [the cluster options]
    Display:
          --plain[=<BOOL>]  Neither colour nor lines that are redrawn in place nor drawn symbols, as for
                            a screen reader

    Examples:
      # The newest Indexed Job of the namespace
      kubectl indexed describe

      # One by name, whoever made it
      kubectl indexed describe indexed-job
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_list() {
    assert_snapshot!(own_part("list"), @r#"
    ── stdout
    List the Indexed Jobs of a namespace, newest first

    Usage: kubectl indexed list [OPTIONS]

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Which Jobs:
      -A, --all-namespaces
              List the Jobs of all namespaces

      -l, --selector <SELECTOR>
              Labels that the Jobs must have, as in kubectl get -l

          --field-selector <SELECTOR>
              Fields that the Jobs must have, as in kubectl get: metadata.name, metadata.namespace,
              status.successful

    Output:
      -L, --label-columns <LABEL>
              Labels that get a column each; can be repeated, or separated by commas

          --show-labels
              Add a column with all labels

          --sort-by <WHAT>
              What the Jobs are sorted by

              Possible values:
              - age:    Newest first
              - name
              - status
              - failed: How many indexes failed, the most last
              
              [default: age]

      -o, --output <FORM>
              Form of the list

              Possible values:
              - wide
              - yaml
              - json
              - name
              - jsonpath=:         What a template takes out of the JSON, as in
                jsonpath='{.metadata.name}'
              - jsonpath-as-json=: The same as JSON
              - jsonpath-file=:    By a template in a file
              - custom-columns=:   A table of paths into the JSON, as in
                custom-columns=NAME:.metadata.name

          --no-headers
              Leave out the line of column names

      -w, --watch
              Print a Job again when it changes, until interrupted

    [the cluster options]
    Display:
          --plain[=<BOOL>]
              Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen
              reader

    Examples:
      # All Indexed Jobs of the namespace
      kubectl indexed list

      # Those of all namespaces, with their images and labels
      kubectl indexed list -A -o wide

      # The names of those with a label
      kubectl indexed list -l team=vision -o name

      # One again whenever it changes, for a minute
      timeout -s INT 60 kubectl indexed list -w

      # A column for a label
      kubectl indexed list -L team

      # A column for all labels
      kubectl indexed list --show-labels

      # Those of which no index has completed
      kubectl indexed list --field-selector status.successful=0

      # By a template of kubectl's
      kubectl indexed list -o jsonpath='{range .items[*]}{.metadata.name}{"\n"}{end}'
    ── stderr
    ── exit code 0
    "#);
}

#[test]
fn of_indexes() {
    assert_snapshot!(own_part("indexes"), @"
    ── stdout
    List the indexes of a Job, and how each fares

    Usage: kubectl indexed indexes [OPTIONS] [JOB]

    Arguments:
      [JOB]
              The Job; the newest Indexed Job when left out

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Which indexes:
      -i, --index <INDEXES>
              Indexes to list: 0-3,7,9-20:2, the words failed, succeeded, running, pending, all, and !
              to exclude

          --item <ITEM>
              Only the indexes of this item; * stands for any characters, ? for one; can be repeated

          --status <STATUS>
              Only those that fare so; several are separated by commas
              
              [possible values: pending, starting, running, retrying, unknown, succeeded, failed]

          --only-this
              Only this Job, without those that it retries and those that retry it

    Output:
          --sort-by <COLUMN>
              What the rows are sorted by
              
              [default: index]
              [possible values: index, item, status, attempts, exit, reason, node, started, duration]

      -o, --output <FORM>
              Form of the rows

              Possible values:
              - wide:              With the Pod and the message
              - json:              One object, whose shape has a version
              - jsonl:             An object a line
              - csv:               Comma-separated values of all that is known
              - name:              The Pod of each index, as kubectl takes it
              - jsonpath=:         What a template takes out of the JSON, as in
                jsonpath='{.metadata.name}'
              - jsonpath-as-json=: The same as JSON
              - jsonpath-file=:    By a template in a file
              - custom-columns=:   A table of paths into the JSON, as in
                custom-columns=NAME:.metadata.name

          --no-headers
              Leave out the line of column names

      -w, --watch
              Print a row again when it changes, until the Job ends

    [the cluster options]
    Display:
          --plain[=<BOOL>]
              Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen
              reader

    Examples:
      # All indexes of the newest Job
      kubectl indexed indexes

      # Those that failed, with the Pod and the last words of each
      kubectl indexed indexes indexed-job --status failed -o wide

      # The slowest last
      kubectl indexed indexes --status succeeded --sort-by duration

      # A row again whenever it changes, until the Job ends
      kubectl indexed indexes -w

      # Go on with kubectl
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
              The Job; the newest Indexed Job when left out

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Which logs:
      -i, --index <INDEXES>
              Indexes to print: 0-3,7,9-20:2, the words failed, succeeded, running, pending, all, and !
              to exclude

          --only-this
              Only this Job, without those that it retries and those that retry it

          --item <ITEM>
              Only the indexes of this item; * stands for any characters, ? for one; can be repeated

          --status <STATUS>
              Only the indexes that fare so; several are separated by commas
              
              [possible values: pending, starting, running, retrying, unknown, succeeded, failed]

          --attempt <N>
              Which attempt of each index: all, last, or its number, from 1 on
              
              [default: all]

      -p, --previous
              What the container wrote before it was last started again within its Pod

      -c, --container <NAME>
              Container to read; the default container of the Pod when left out

          --all-containers
              Read all containers, init containers first

          --init
              Read the init containers

    Order:
      -f, --follow
              Go on printing until the Job ends

      -k, --keep-order
              Print in index order also when following; what comes early waits, on disk where it is much

          --merge
              Print the lines of all indexes in the order in which they were written

          --max-log-requests <N>
              How many logs are read at once; more take turns
              
              [default: 64]

    Which lines:
          --since <DURATION>
              Only lines that are not older than this, as in 5s, 2m or 3h

          --since-time <TIME>
              Only lines since that time (RFC 3339); the server counts in whole seconds

          --tail <N>
              How many of the last lines of each log to print; -1 prints all
              
              [default: -1]

          --limit-bytes <N>
              How many bytes of each log to print; it may end within a line

          --grep <REGEX>
              Only lines that match this regular expression; can be repeated, any of them counts

          --exclude <REGEX>
              No lines that match this regular expression; can be repeated

    Form:
          --prefix <PREFIX>
              What starts each line

              Possible values:
              - auto:  Index and item, unless only one index can be meant
              - index: Index and item in brackets
              - pod:   Pod and container, as kubectl logs --prefix prints them
              - none:  Nothing
              
              [default: auto]

          --timestamps
              Start each line with the time at which it was written

      -o, --output <FORM>
              An object for each line

              Possible values:
              - json:  One array
              - jsonl: An object a line

          --to <DIR>
              Write to one file for each index in this folder, which is made if it is not there

          --raw
              Let control characters reach the terminal

    [the cluster options]
    Display:
          --plain[=<BOOL>]
              Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen
              reader

    Examples:
      # All indexes of the newest Job, in order
      kubectl indexed logs

      # One index, a range, one item, or whatever failed
      kubectl indexed logs indexed-job --index 3
      kubectl indexed logs --index 0-3,7,9-20:2
      kubectl indexed logs --item 'q*'
      kubectl indexed logs --status failed --attempt last

      # As they come, until the Job ends
      kubectl indexed logs -f

      # A file for each index, or an object for each line
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
      [JOB]  The Job; the newest Indexed Job when left out

    Options:
      -h, --help  Print help

    [the cluster options]
    Display:
          --plain[=<BOOL>]  Neither colour nor lines that are redrawn in place nor drawn symbols, as for
                            a screen reader

    Examples:
      # The newest Indexed Job of the namespace
      kubectl indexed watch

      # Its changes as lines, for a screen reader
      kubectl indexed watch indexed-job --plain

      # Where there is no terminal, wait tells how far it is
      kubectl indexed wait indexed-job
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_wait() {
    assert_snapshot!(own_part("wait"), @"
    ── stdout
    Wait until Jobs have completed or failed

    Usage: kubectl indexed wait [OPTIONS] [JOB]...

    Arguments:
      [JOB]...  The Jobs; the newest Indexed Job when left out

    Options:
      -h, --help  Print help

    Waiting:
          --for <WHAT>          What to wait for: complete, failed, or indexes=0-9 for those to complete
                                [default: either outcome]
          --only-this           Only the Jobs themselves, without those that they retry and those that
                                retry them
          --timeout <DURATION>  How long to wait, as in 90s, 10m or 2h; 0 waits for ever [default: 0]

    Output:
      -q, --quiet  Neither progress nor summary, only the exit code and errors

    [the cluster options]
    Display:
          --plain[=<BOOL>]  Neither colour nor lines that are redrawn in place nor drawn symbols, as for
                            a screen reader

    Examples:
      # Exit code 0 when it completed, 1 when it failed
      kubectl indexed wait indexed-job

      # Exit code 3 when it takes longer
      kubectl indexed wait indexed-job --timeout 10m

      # Until some of its indexes have completed
      kubectl indexed wait indexed-job --for indexes=0-9

      # Several Jobs: 0 when all of them completed
      kubectl indexed wait train evaluate
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_retry() {
    assert_snapshot!(own_part("retry"), @"
    ── stdout
    Run again what of a Job failed or never ran

    Usage: kubectl indexed retry [OPTIONS] [JOB] [-- <CMD [ARG]>...]

    Arguments:
      [JOB]
              The Job, or one that retries it; the newest Indexed Job when left out

      [CMD [ARG]]...
              A corrected command, after two dashes, in place of the Job's own

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Which indexes:
      -i, --index <INDEXES>
              Of the outstanding indexes only these: 0-3,7,9-20:2, the words failed and pending, and !
              to exclude

          --status <STATUS>
              Only those that stand so; several are separated by commas

              Possible values:
              - failed:  It failed for good
              - pending: The Job ended before it did, or before it ran

          --reason <REASON>
              Only those whose last attempt failed for this reason, as in OOMKilled; several are
              separated by commas

          --exit-code <CODES>
              Only those whose last attempt ended so, as in 137 or 1,3-5

    Changes:
          --image <IMAGE>
              Image of the worker in place of the Job's own

          --cpu <REQUEST[:LIMIT]>
              CPU request of each index, as in 2 or 500m:2 with a limit, or as in x2 a multiple of what
              it was

          --memory <REQUEST[:LIMIT]>
              Memory request and limit of each index, as in 2Gi or 1Gi:2Gi, or as in x2 a multiple of
              what it was

          --retries <N>
              How often a failed index is tried again, each index for itself

      -j, --parallelism <N>
              How many indexes may run at once

          --init-image <IMAGE>
              Image of the init container that tells each Pod its original index; it must have a POSIX
              shell

    Following:
      -d, --detach
              Return after submitting instead of following

      -k, --keep-order
              Print what the indexes write in index order; what comes early waits, on disk where it is
              much

          --prefix <PREFIX>
              What starts each line of output

              Possible values:
              - auto:  Index and item, unless only one index can be meant
              - index: Index and item in brackets
              - pod:   Pod and container, as kubectl logs --prefix prints them
              - none:  Nothing
              
              [default: auto]

      -q, --quiet
              Neither progress nor summary, only the output and errors

    Output:
          --dry-run[=<WHERE>]
              Print the objects instead of creating them; a Job that they come from is read from the
              cluster all the same

              Possible values:
              - none:   Do it
              - client: Build and check it here, and print it
              - server: Have the server check it without storing it, and print what it would store
              
              [default: none]

      -o, --output <FORM>
              Form of the objects on stdout

              Possible values:
              - yaml
              - json
              - name
              - jsonpath=:         What a template takes out of the JSON, as in
                jsonpath='{.metadata.name}'
              - jsonpath-as-json=: The same as JSON
              - jsonpath-file=:    By a template in a file
              - custom-columns=:   A table of paths into the JSON, as in
                custom-columns=NAME:.metadata.name

          --field-manager <NAME>
              Name of the manager that the server records for the fields that are set
              
              [default: kubectl-indexed]

    [the cluster options]
    Display:
          --plain[=<BOOL>]
              Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen
              reader

    Examples:
      # Whatever of the newest Job failed, or never ran because the Job stopped
      kubectl indexed retry

      # Some of it
      kubectl indexed retry train --index 3,7
      kubectl indexed retry train --exit-code 75

      # Those that ran out of memory, with twice as much
      kubectl indexed retry train --reason OOMKilled --memory x2

      # See what would run
      kubectl indexed retry train --dry-run=client -o yaml

      # By a corrected image or command
      kubectl indexed retry train --image bash
      kubectl indexed retry train -- sh -c 'echo less at once'
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_suspend() {
    assert_snapshot!(own_part("suspend"), @"
    ── stdout
    Hold Jobs back: their running Pods end, and no index starts

    Usage: kubectl indexed suspend [OPTIONS] [JOB]...

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Which Jobs:
      -l, --selector <SELECTOR>
              Labels of the Jobs that are meant, as in kubectl get -l

          --all
              All Indexed Jobs of the namespace that have not finished

      -y, --yes
              Don't ask before running Pods of more than one Job are ended

      [JOB]...
              The Jobs; the newest Indexed Job when left out

    Output:
          --dry-run[=<WHERE>]
              Only show what would be done

              Possible values:
              - none:   Do it
              - client: Build and check it here, and print it
              - server: Have the server check it without storing it, and print what it would store
              
              [default: none]

      -o, --output <FORM>
              Form of the changed Jobs on stdout

              Possible values:
              - yaml
              - json
              - name
              - jsonpath=:         What a template takes out of the JSON, as in
                jsonpath='{.metadata.name}'
              - jsonpath-as-json=: The same as JSON
              - jsonpath-file=:    By a template in a file
              - custom-columns=:   A table of paths into the JSON, as in
                custom-columns=NAME:.metadata.name

          --field-manager <NAME>
              Name of the manager that the server records for the fields that are set
              
              [default: kubectl-indexed]

    [the cluster options]
    Display:
          --plain[=<BOOL>]
              Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen
              reader

    Examples:
      # What runs ends, and starts anew after resume; what has completed stays so
      kubectl indexed suspend indexed-job

      # All Jobs with a label, without being asked
      kubectl indexed suspend -l team=vision -y
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_resume() {
    assert_snapshot!(own_part("resume"), @"
    ── stdout
    Let suspended Jobs go on

    Usage: kubectl indexed resume [OPTIONS] [JOB]...

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Which Jobs:
      -l, --selector <SELECTOR>
              Labels of the Jobs that are meant, as in kubectl get -l

          --all
              All Indexed Jobs of the namespace that have not finished

      [JOB]...
              The Jobs; the newest Indexed Job when left out

    Output:
          --dry-run[=<WHERE>]
              Only show what would be done

              Possible values:
              - none:   Do it
              - client: Build and check it here, and print it
              - server: Have the server check it without storing it, and print what it would store
              
              [default: none]

      -o, --output <FORM>
              Form of the changed Jobs on stdout

              Possible values:
              - yaml
              - json
              - name
              - jsonpath=:         What a template takes out of the JSON, as in
                jsonpath='{.metadata.name}'
              - jsonpath-as-json=: The same as JSON
              - jsonpath-file=:    By a template in a file
              - custom-columns=:   A table of paths into the JSON, as in
                custom-columns=NAME:.metadata.name

          --field-manager <NAME>
              Name of the manager that the server records for the fields that are set
              
              [default: kubectl-indexed]

    [the cluster options]
    Display:
          --plain[=<BOOL>]
              Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen
              reader

    Examples:
      # Its indexes that have not completed run
      kubectl indexed resume indexed-job

      # Every Indexed Job of the namespace that is suspended
      kubectl indexed resume --all
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_scale() {
    assert_snapshot!(own_part("scale"), @"
    ── stdout
    Change how many indexes of Jobs may run at once

    Usage: kubectl indexed scale [OPTIONS] [JOB]...

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Which Jobs:
      -l, --selector <SELECTOR>
              Labels of the Jobs that are meant, as in kubectl get -l

          --all
              All Indexed Jobs of the namespace that have not finished

      -y, --yes
              Don't ask before running Pods of more than one Job are ended

      [JOB]...
              The Jobs; the newest Indexed Job when left out

    Changes:
      -j, --parallelism <N>
              How many indexes may run at once; 0 for none

          --completions <N>
              How many indexes there are: only where all of them run at once, --parallelism then being
              the same

    Output:
          --dry-run[=<WHERE>]
              Only show what would be done

              Possible values:
              - none:   Do it
              - client: Build and check it here, and print it
              - server: Have the server check it without storing it, and print what it would store
              
              [default: none]

      -o, --output <FORM>
              Form of the changed Jobs on stdout

              Possible values:
              - yaml
              - json
              - name
              - jsonpath=:         What a template takes out of the JSON, as in
                jsonpath='{.metadata.name}'
              - jsonpath-as-json=: The same as JSON
              - jsonpath-file=:    By a template in a file
              - custom-columns=:   A table of paths into the JSON, as in
                custom-columns=NAME:.metadata.name

          --field-manager <NAME>
              Name of the manager that the server records for the fields that are set
              
              [default: kubectl-indexed]

    [the cluster options]
    Display:
          --plain[=<BOOL>]
              Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen
              reader

    Examples:
      # Twenty indexes at once instead of what was asked for at first
      kubectl indexed scale indexed-job --parallelism 20

      # None for now
      kubectl indexed scale indexed-job -j 0

      # An elastic Job, all of whose indexes run at once, to eight of them
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
              The Jobs

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Which Jobs:
          --finished
              Only Jobs that have completed or failed

          --older-than <AGE>
              Only Jobs that ended longer ago than this, or that have not ended and were created longer
              ago, as in 1d or 12h

      -l, --selector <SELECTOR>
              Only Jobs with these labels, as in kubectl get -l

          --all
              All Indexed Jobs of the namespace

      -A, --all-namespaces
              In all namespaces

    Deleting:
      -y, --yes
              Don't ask: it asks where more than one Job would go, or an unnamed one that has not
              finished

          --keep-results <DIR>
              Gather first what each Job gave, into the folder DIR/JOB; a Job of which something can't
              be had is kept

          --wait[=<BOOL>]
              Wait until the Job and its Pods are gone; --wait=false returns at once

          --ignore-not-found
              Do not complain about a Job that is not there

    Output:
          --dry-run[=<WHERE>]
              Only show what would be deleted

              Possible values:
              - none:   Do it
              - client: Build and check it here, and print it
              - server: Have the server check it without storing it, and print what it would store
              
              [default: none]

      -o, --output <FORM>
              Form of the names of what was deleted
              
              [possible values: name]

    [the cluster options]
    Display:
          --plain[=<BOOL>]
              Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen
              reader

    Examples:
      # A Job with its Pods and items
      kubectl indexed delete indexed-job

      # Those that completed or failed more than a day ago, without being asked
      kubectl indexed delete --finished --older-than 1d -y

      # What they wrote is kept
      kubectl indexed delete --finished --keep-results out -y

      # See first which those would be
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
      <SHELL>  The shell to complete in [possible values: bash, zsh, fish, powershell, kubectl]

    Options:
      -h, --help  Print help

    [the cluster options]
    Display:
          --plain[=<BOOL>]  Neither colour nor lines that are redrawn in place nor drawn symbols, as for
                            a screen reader

    Examples:
      # For this shell alone
      source <(kubectl indexed completion bash)

      # For every bash to come
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
    Collect what each index of a Job gave: its output, exit code and times

    Usage: kubectl indexed results [OPTIONS] [JOB]

    Arguments:
      [JOB]
              The Job; the newest Indexed Job when left out

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Which indexes:
      -i, --index <INDEXES>
              Indexes to fetch: 0-3,7,9-20:2, the words failed, succeeded, running, pending, all, and !
              to exclude

          --only-this
              Only this Job, without those that it retries and those that retry it

    Form:
          --to <DIR>
              Folder to write the output of each index to, byte for byte, with the rest in its
              results.jsonl

          --name-by <WHAT>
              What the files are named by [default: index]

              Possible values:
              - index: 3.out
              - item:  The item, as far as a file can be called so

      -o, --output <FORM>
              Form of the results on stdout [default: text, or nothing with --to or --joblog]

              Possible values:
              - jsonl:             An object a line
              - csv:               Comma-separated values, the output in the last column
              - json:              One object, whose shape has a version
              - text:              The outputs alone, one behind the other
              - jsonpath=:         What a template takes out of the JSON, as in
                jsonpath='{.metadata.name}'
              - jsonpath-as-json=: The same as JSON
              - jsonpath-file=:    By a template in a file
              - custom-columns=:   A table of paths into the JSON, as in
                custom-columns=NAME:.metadata.name

          --no-headers
              Leave out the line of column names

          --no-output
              Leave out what the indexes wrote, which is then not fetched

          --trim
              Leave out blanks and line breaks around each output; files stay as they are

          --parse-json
              Take each output for JSON, of workers that print it

          --joblog <FILE>
              File to write the columns of GNU parallel's --joblog to, - for stdout; Seq is the index +
              1

    What is fetched:
          --from <WHERE>
              What is the output of an index

              Possible values:
              - log:                 What its worker wrote to stdout and stderr, as far as its node
                keeps it
              - termination-message: What its worker wrote to /dev/termination-log, at most 4 KiB: needs
                no request for each index
              
              [default: log]

      -c, --container <NAME>
              Container to read; the default container of the Pod when left out

    Order:
      -f, --follow
              Go on until the Job ends, with each index as it finishes

      -k, --keep-order
              Print in index order also when following

    [the cluster options]
    Display:
          --plain[=<BOOL>]
              Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen
              reader

    Examples:
      # What each index of the newest Job wrote, in order
      kubectl indexed results

      # Each in a file of its own; the same again fetches what is missing
      kubectl indexed results indexed-job --to out
      kubectl indexed results indexed-job --to by-item --name-by item

      # A row an index, with its output, exit code and times
      kubectl indexed results -o csv --trim > results.csv
      kubectl indexed results -o jsonl --parse-json

      # Rows as the indexes finish
      kubectl indexed results -f -o jsonl

      # As GNU parallel would have logged it
      kubectl indexed results --joblog jobs.log
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_config() {
    assert_snapshot!(own_part("config"), @"
    ── stdout
    Show the standing defaults, and where each comes from

    Usage: kubectl indexed config [OPTIONS]

    Options:
      -h, --help  Print help

    Output:
      -o, --output <FORM>  Form of the settings [possible values: yaml, json]
          --example        Print a file to start from: every setting, explained, none of them set

    [the cluster options]
    Display:
          --plain[=<BOOL>]  Neither colour nor lines that are redrawn in place nor drawn symbols, as for
                            a screen reader

    Precedence:
      A flag is stronger than a --template, that than a variable of the environment, that than
      the file, and that than what the program does by itself. Labels, annotations and node
      selectors of all of them are put together, the stronger one for each key; any other list
      is that of the strongest. The file is the one that $KUBECTL_INDEXED_CONFIG names, else
      kubectl-indexed/config.yaml in $XDG_CONFIG_HOME, in ~/.config, or on Windows in %APPDATA%.
      The variable of --init-image is KUBECTL_INDEXED_INIT_IMAGE, and so on; lists in variables
      are separated by commas.

    Examples:
      # What is set, and where
      kubectl indexed config

      # A file to start from
      kubectl indexed config --example > config.yaml

      # Another file, and a variable that is stronger, for one command
      KUBECTL_INDEXED_CONFIG=config.yaml KUBECTL_INDEXED_PREFIX=none kubectl indexed config -o yaml
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn of_version() {
    assert_snapshot!(own_part("version"), @"
    ── stdout
    Show the versions of this program and the server, and what the server can do

    Usage: kubectl indexed version [OPTIONS]

    Options:
      -h, --help  Print help

    Output:
          --client         Only the version of this program: no server is asked
      -o, --output <FORM>  Form of the versions [possible values: yaml, json]

    [the cluster options]
    Display:
          --plain[=<BOOL>]  Neither colour nor lines that are redrawn in place nor drawn symbols, as for
                            a screen reader

    Examples:
      # This program, the server, and what it can do
      kubectl indexed version

      # Only this program, without asking a server
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
      [TOPIC]  Chapter or verb [default: the help of the program, which lists the chapters]

    Options:
      -h, --help  Print help

    Cluster options:
      -n, --namespace <NAME>              Namespace to work in
          --kubeconfig <FILE>             kubeconfig file to use instead of $KUBECONFIG and
                                          ~/.kube/config
          --context <NAME>                Context of the kubeconfig to use
          --cluster <NAME>                Cluster of the kubeconfig to use
          --user <NAME>                   User of the kubeconfig to use
      -s, --server <URL>                  Address and port of the API server
          --token <TOKEN>                 Bearer token for the API server
          --as <USER>                     User to impersonate
          --as-group <GROUP>              Group to impersonate; can be repeated
          --as-uid <UID>                  UID to impersonate
          --as-user-extra <KEY=VALUE>     Extra of the user to impersonate; can be repeated, also with
                                          the same key
          --username <NAME>               User name for basic authentication, which proxies take, but no
                                          API server since 1.19
          --password <PASSWORD>           Password for basic authentication
          --request-timeout <DURATION>    How long the server may take to answer a request, as in 30s or
                                          5m; 0 waits for ever [default: 1m]
          --certificate-authority <FILE>  Certificate file of the authority that signed the server's
                                          certificate
          --client-certificate <FILE>     Certificate file to authenticate with
          --client-key <FILE>             Key file to authenticate with
          --tls-server-name <NAME>        Name to expect in the server's certificate
          --insecure-skip-tls-verify      Take any certificate from the server: anybody may then read
                                          and change what is sent
          --disable-compression           Ask the server not to compress its answers
      -v, --verbosity <LEVEL>             Print requests on stderr: 6 status and time, 7 also headers, 8
                                          also bodies, 9 as curl commands; no tokens

    Display:
          --plain[=<BOOL>]  Neither colour nor lines that are redrawn in place nor drawn symbols, as for
                            a screen reader

    Examples:
      # The sources of items and their formats
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
    error: there is no verb "descrbe"
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
    error: "3" is one word too many for logs
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
    cancel: kubectl indexed delete JOB ends a Job and removes it; kubectl indexed suspend JOB ends its Pods and keeps it
    rm: kubectl indexed delete JOB ends a Job and removes it; kubectl indexed suspend JOB ends its Pods and keeps it
    status: kubectl indexed list lists the Jobs; kubectl indexed watch JOB follows one
    top: kubectl top pods -l batch.kubernetes.io/job-name=JOB shows what the Pods of a Job use
    cat: kubectl indexed logs JOB prints what each index wrote; kubectl indexed results JOB collects it
    explain: kubectl indexed describe JOB shows a Job and its events
    resubmit: kubectl indexed retry JOB runs its failed indexes again
    pause: kubectl indexed suspend JOB holds a Job back until kubectl indexed resume JOB
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
        ("cancel train", "delete train"),
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
        let is_listed = |line: &str| line.trim_start().starts_with(&format!("{alias} ")) || line.contains(&format!(", {alias}]"));
        assert!(!help.lines().any(is_listed), "{alias}: {help}");
    }
}

#[test]
fn get_with_a_name_leads_to_describe() {
    assert_snapshot!(Sandbox::new().run(&["get", "job", "train"]), @"");
}

#[test]
fn the_short_help_of_run() {
    assert_snapshot!(Sandbox::new().run(&["run", "-h"]), @"");
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
        words.into_iter().filter(|word| word.starts_with("src/") && word.ends_with(".rs")).collect::<Vec<_>>()
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
