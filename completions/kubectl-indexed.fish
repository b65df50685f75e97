# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_kubectl_indexed_global_optspecs
    string join \n n/namespace= kubeconfig= context= cluster= user= s/server= token= as= as-group= as-uid= request-timeout= certificate-authority= client-certificate= client-key= tls-server-name= insecure-skip-tls-verify disable-compression plain= h/help V/version
end

function __fish_kubectl_indexed_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_kubectl_indexed_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_kubectl_indexed_using_subcommand
    set -l cmd (__fish_kubectl_indexed_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -s h -l help -d 'Print help'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -s V -l version -d 'Print version'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "run" -d 'Run a command once for each item, as one Indexed Job, and follow it'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "describe" -d 'Show a Job: all that kubectl describe prints, and what it leaves out'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "list" -d 'List the Indexed Jobs of a namespace, newest first'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "ls" -d 'List the Indexed Jobs of a namespace, newest first'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "get" -d 'List the Indexed Jobs of a namespace, newest first'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "indexes" -d 'List the indexes of a Job, and how each fares'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "tasks" -d 'List the indexes of a Job, and how each fares'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "logs" -d 'Print the logs of a Job by index'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "results" -d 'Collect what each index of a Job gave: its output, exit code and times'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "wait" -d 'Wait until Jobs have completed or failed'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "watch" -d 'Watch a Job on a live screen until it ends'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "retry" -d 'Run again what of a Job failed or never ran'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "suspend" -d 'Hold Jobs back: their running Pods end, and no index starts'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "resume" -d 'Let suspended Jobs go on'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "scale" -d 'Change how many indexes of Jobs may run at once'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "delete" -d 'Delete Jobs with their Pods and ConfigMaps'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "completion" -d 'Print the completion script of a shell'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "config" -d 'Show the standing defaults, and where each comes from'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "version" -d 'Show the versions of this program and the server, and what the server can do'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "help" -d 'Print the help of a verb, as --help behind it'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_needs_command" -f -a "man" -d 'Write the man pages into a folder'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l items -d 'Items, separated by commas; quote one that has a comma, as in \'a,"b,c"\'' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -s a -l items-file -l each-line -d 'File with one item a line, - for stdin; .csv, .tsv, .json and .jsonl are read as what they are' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l format -d 'How --items-file is written, whatever its name ends in' -r -f -a "lines\t'One item a line'
csv\t'Comma-separated columns, named by the first line'
tsv\t'Tab-separated columns, named by the first line'
json\t'One array of strings and numbers, or of flat objects'
jsonl\t'One string, number or flat object a line'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l range -l array -d 'Numbers as items, as in 1-100:3 or 1,5,9-12; %N at the end runs N at once' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l param -d 'Values of a column; repeated, every combination is an item' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l items-configmap -d 'List that is in the cluster, used in place: a ConfigMap with the keys 0, 1, …, or one key with an item a line' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l completions -d 'How many indexes to run when there are no items' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l skip -d 'Leave out the first N items' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l shuffle -d 'Mix the items; the same SEED, which is said, gives the same order' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l first -d 'Take no more than N items: the first, or with --shuffle a sample' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l resume -d 'Leave out what has succeeded in JOB, by content: run only items that are new, changed or have not' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l item-as -d 'How an item reaches the worker [default: arg if the command has {} or {COLUMN}, else file]' -r -f -a "file\t'In a file, appended to the command unless the command names it'
arg\t'In the command\'s arguments, in place of {} or {COLUMN}'
env\t'In the variable ITEM, and one variable for each column'
stdin\t'On standard input, which takes a shell in the image'
index\t'Not at all: the worker goes by its index'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l item-path -d 'File in which the worker finds its item [default: /input/data.txt]' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l index-env -d 'Variable with the index, besides JOB_COMPLETION_INDEX (downward API)' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l index-file -d 'File in which the worker finds its index, written by Kubernetes itself (downward API)' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l compat -d 'Systems whose variables the worker finds too, so that their scripts run unchanged' -r -f -a "slurm\t'SLURM_ARRAY_TASK_ID, _COUNT, _MIN, _MAX'
hyperqueue\t'HQ_TASK_ID, HQ_ENTRY'
aws\t'AWS_BATCH_JOB_ARRAY_INDEX, AWS_BATCH_JOB_ARRAY_SIZE'
parallel\t'PARALLEL_SEQ, which starts at 1'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l item-store -d 'Where the list of items is kept' -r -f -a "auto\t'The one that fits the list best: ConfigMaps'
inline\t'In the Job itself: an init container with a shell picks the item'
configmap\t'In ConfigMaps owned by the Job: up to 1,000 items no init container is needed'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l init-image -d 'Image of the init container that some ways of handing over need; it must have a POSIX shell' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l name -d 'Name of the Job' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -s j -l parallelism -d 'How many indexes may run at once [default: all, at most 100]' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l label -d 'Label for the Job and its Pods; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l annotation -d 'Annotation for the Job and its Pods; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l queue -d 'Kueue queue that admits the Job' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l template -d 'Job, CronJob or PodTemplate manifest (YAML or JSON; - for stdin) to start from' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l retries -d 'How often a failed index is tried again, each index for itself [default: 0]' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l max-failed -d 'How many indexes may fail; one more ends the Job [default: all, and the others still run]' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l fail-on-exit -d 'Exit codes of the command, as in 1,3-5, after which an index is not tried again' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l ignore-exit -d 'Exit codes of the command that are no failure: the index is tried again, as often as it takes' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l success-indexes -d 'Indexes that are enough: the Job completes once they have, and what still runs is ended' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l success-count -d 'How many indexes are enough, of all or of --success-indexes' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l timeout -d 'How long all indexes together may take, as in 90s or 2h; then the Job fails, and what still runs is ended' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l index-timeout -d 'How long one attempt of an index may take, from when a node has its Pod, its image still to be pulled' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l ttl -d 'How long the Job, its Pods and their logs are kept once it has ended [default: until deleted]' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l image -d 'Image of the worker [default: docker.io/library/busybox]' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -s e -l env -d 'Environment variable of the worker; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l cpu -d 'CPU that each index asks for, as in 2 or 500m' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l memory -d 'Memory that each index asks for and is limited to, as in 512Mi or 2Gi' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l gpu -d 'GPUs for each index: a number of nvidia.com/gpu, or RESOURCE=NUMBER' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l workdir -d 'Folder in which the command starts' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l image-pull-policy -d 'When the worker\'s image is pulled' -r -f -a "Always\t''
IfNotPresent\t''
Never\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l service-account -d 'Service account of the Pods' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l node-selector -d 'Label that a node must have; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l toleration -d 'Taint that the Pods tolerate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l image-pull-secret -d 'Secret to pull images with; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l priority-class -d 'Priority class of the Pods' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l prefix -d 'What starts each line of output' -r -f -a "auto\t'Index and item, unless only one index can be meant'
index\t'Index and item in brackets'
pod\t'Pod and container, as kubectl logs --prefix prints them'
none\t'Nothing'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l results -d 'New or empty folder for the output of each index, written as soon as it has ended, as by the verb results --to' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l dry-run -d 'Print the objects instead of creating them' -r -f -a "none\t'Do it'
client\t'Build and check it here, and print it'
server\t'Have the server check it without storing it, and print what it would store'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -s o -l output -d 'Form of the objects on stdout' -r -f -a "yaml\t''
json\t''
name\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l field-manager -d 'Name of the manager that the server records for the fields that are set' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -s 0 -l null -d 'A NUL byte, not a line break, ends each item of --items-file'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l link -d 'Pair the values of several --param or :::, instead of combining each with each'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l unique -d 'Leave out an item that was there before'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l no-placeholders -d 'Leave every brace of the command as it is'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l shell -d 'Hand over by a shell of the worker\'s image, also where the server could do without'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l no-shell -d 'Never rely on a shell in the worker\'s image'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l fail-fast -d 'End the Job at the first index that has failed, its retries included'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -s d -l detach -d 'Return after submitting instead of following'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -s k -l keep-order -d 'Print what the indexes write in index order; what comes early waits, on disk where it is much'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -s q -l quiet -d 'Neither progress nor summary, only the output and errors'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l show-events -d 'Show the events of the Job' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l only-this -d 'Only this Job, without those that it retries and those that retry it'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand describe" -s h -l help -d 'Print help'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -s l -l selector -d 'Labels that the Jobs must have, as in kubectl get -l' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -s o -l output -d 'Form of the list' -r -f -a "wide\t''
yaml\t''
json\t''
name\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -s A -l all-namespaces -d 'List the Jobs of all namespaces'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l no-headers -d 'Leave out the line of column names'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -s w -l watch -d 'Print a Job again when it changes, until interrupted'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand list" -s h -l help -d 'Print help'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -s l -l selector -d 'Labels that the Jobs must have, as in kubectl get -l' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -s o -l output -d 'Form of the list' -r -f -a "wide\t''
yaml\t''
json\t''
name\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -s A -l all-namespaces -d 'List the Jobs of all namespaces'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l no-headers -d 'Leave out the line of column names'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -s w -l watch -d 'Print a Job again when it changes, until interrupted'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand ls" -s h -l help -d 'Print help'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -s l -l selector -d 'Labels that the Jobs must have, as in kubectl get -l' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -s o -l output -d 'Form of the list' -r -f -a "wide\t''
yaml\t''
json\t''
name\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -s A -l all-namespaces -d 'List the Jobs of all namespaces'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l no-headers -d 'Leave out the line of column names'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -s w -l watch -d 'Print a Job again when it changes, until interrupted'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand get" -s h -l help -d 'Print help'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -s i -l index -d 'Indexes to list: 0-3,7,9-20:2, the words failed, succeeded, running, pending, all, and ! to exclude' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l status -d 'Only those that fare so; several are separated by commas' -r -f -a "pending\t''
starting\t''
running\t''
retrying\t''
unknown\t''
succeeded\t''
failed\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l sort-by -d 'What the rows are sorted by' -r -f -a "index\t''
item\t''
status\t''
attempts\t''
exit\t''
reason\t''
node\t''
started\t''
duration\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -s o -l output -d 'Form of the rows' -r -f -a "wide\t'With the Pod and the message'
json\t'One object, whose shape has a version'
jsonl\t'An object a line'
csv\t'Comma-separated values of all that is known'
name\t'The Pod of each index, as kubectl takes it'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l only-this -d 'Only this Job, without those that it retries and those that retry it'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l no-headers -d 'Leave out the line of column names'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -s w -l watch -d 'Print a row again when it changes, until the Job ends'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand indexes" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -s i -l index -d 'Indexes to list: 0-3,7,9-20:2, the words failed, succeeded, running, pending, all, and ! to exclude' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l status -d 'Only those that fare so; several are separated by commas' -r -f -a "pending\t''
starting\t''
running\t''
retrying\t''
unknown\t''
succeeded\t''
failed\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l sort-by -d 'What the rows are sorted by' -r -f -a "index\t''
item\t''
status\t''
attempts\t''
exit\t''
reason\t''
node\t''
started\t''
duration\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -s o -l output -d 'Form of the rows' -r -f -a "wide\t'With the Pod and the message'
json\t'One object, whose shape has a version'
jsonl\t'An object a line'
csv\t'Comma-separated values of all that is known'
name\t'The Pod of each index, as kubectl takes it'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l only-this -d 'Only this Job, without those that it retries and those that retry it'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l no-headers -d 'Leave out the line of column names'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -s w -l watch -d 'Print a row again when it changes, until the Job ends'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand tasks" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -s i -l index -d 'Indexes to print: 0-3,7,9-20:2, the words failed, succeeded, running, pending, all, and ! to exclude' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l item -d 'Only the indexes of this item; * stands for any characters, ? for one; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l status -d 'Only the indexes that fare so; several are separated by commas' -r -f -a "pending\t''
starting\t''
running\t''
retrying\t''
unknown\t''
succeeded\t''
failed\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l attempt -d 'Which attempt of each index: all, last, or its number, from 1 on' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -s c -l container -d 'Container to read; the default container of the Pod when left out' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l since -d 'Only lines that are not older than this, as in 5s, 2m or 3h' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l since-time -d 'Only lines since that time (RFC 3339); the server counts in whole seconds' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l tail -d 'How many of the last lines of each log to print; -1 prints all' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l limit-bytes -d 'How many bytes of each log to print; it may end within a line' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l grep -d 'Only lines that match this regular expression; can be repeated, any of them counts' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l exclude -d 'No lines that match this regular expression; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l prefix -d 'What starts each line' -r -f -a "auto\t'Index and item, unless only one index can be meant'
index\t'Index and item in brackets'
pod\t'Pod and container, as kubectl logs --prefix prints them'
none\t'Nothing'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -s o -l output -d 'An object for each line' -r -f -a "json\t'One array'
jsonl\t'An object a line'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l to -d 'Write to one file for each index in this folder, which is made if it is not there' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l max-log-requests -d 'How many logs are read at once; more take turns' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l only-this -d 'Only this Job, without those that it retries and those that retry it'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -s p -l previous -d 'What the container wrote before it was last started again within its Pod'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l all-containers -d 'Read all containers, init containers first'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l init -d 'Read the init containers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -s f -l follow -d 'Go on printing until the Job ends'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -s k -l keep-order -d 'Print in index order also when following; what comes early waits, on disk where it is much'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l merge -d 'Print the lines of all indexes in the order in which they were written'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l timestamps -d 'Start each line with the time at which it was written'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l raw -d 'Let control characters reach the terminal'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -s i -l index -d 'Indexes to fetch: 0-3,7,9-20:2, the words failed, succeeded, running, pending, all, and ! to exclude' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l to -d 'Folder to write the output of each index to, byte for byte, with the rest in its results.jsonl' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l name-by -d 'What the files are named by [default: index]' -r -f -a "index\t'3.out'
item\t'The item, as far as a file can be called so'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -s o -l output -d 'Form of the results on stdout [default: text, or nothing with --to or --joblog]' -r -f -a "jsonl\t'An object a line'
csv\t'Comma-separated values, the output in the last column'
json\t'One object, whose shape has a version'
text\t'The outputs alone, one behind the other'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l from -d 'What is the output of an index' -r -f -a "log\t'What its worker wrote to stdout and stderr, as far as its node keeps it'
termination-message\t'What its worker wrote to /dev/termination-log, at most 4 KiB: needs no request for each index'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -s c -l container -d 'Container to read; the default container of the Pod when left out' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l joblog -d 'File to write the columns of GNU parallel\'s --joblog to, - for stdout; Seq is the index + 1' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l only-this -d 'Only this Job, without those that it retries and those that retry it'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l no-headers -d 'Leave out the line of column names'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l no-output -d 'Leave out what the indexes wrote, which is then not fetched'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l trim -d 'Leave out blanks and line breaks around each output; files stay as they are'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l parse-json -d 'Take each output for JSON, of workers that print it'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -s f -l follow -d 'Go on until the Job ends, with each index as it finishes'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -s k -l keep-order -d 'Print in index order also when following'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand results" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l for -d 'What to wait for: complete, failed, or indexes=0-9 for those to complete [default: either outcome]' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l timeout -d 'How long to wait, as in 90s, 10m or 2h; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l only-this -d 'Only the Jobs themselves, without those that they retry and those that retry them'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -s q -l quiet -d 'Neither progress nor summary, only the exit code and errors'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand wait" -s h -l help -d 'Print help'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand watch" -s h -l help -d 'Print help'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -s i -l index -d 'Of the outstanding indexes only these: 0-3,7,9-20:2, the words failed and pending, and ! to exclude' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l status -d 'Only those that stand so; several are separated by commas' -r -f -a "failed\t'It failed for good'
pending\t'The Job ended before it did, or before it ran'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l reason -d 'Only those whose last attempt failed for this reason, as in OOMKilled; several are separated by commas' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l exit-code -d 'Only those whose last attempt ended so, as in 137 or 1,3-5' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l image -d 'Image of the worker in place of the Job\'s own' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l cpu -d 'CPU that each index asks for, as in 2 or 500m, or as in x2 so many times what it was' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l memory -d 'Memory that each index asks for and is limited to, as in 2Gi, or as in x2 so many times what it was' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l retries -d 'How often a failed index is tried again, each index for itself' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -s j -l parallelism -d 'How many indexes may run at once' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l init-image -d 'Image of the init container that tells each Pod its original index; it must have a POSIX shell' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l prefix -d 'What starts each line of output' -r -f -a "auto\t'Index and item, unless only one index can be meant'
index\t'Index and item in brackets'
pod\t'Pod and container, as kubectl logs --prefix prints them'
none\t'Nothing'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l dry-run -d 'Print the objects instead of creating them; the Job is read from the cluster all the same' -r -f -a "none\t'Do it'
client\t'Build and check it here, and print it'
server\t'Have the server check it without storing it, and print what it would store'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -s o -l output -d 'Form of the objects on stdout' -r -f -a "yaml\t''
json\t''
name\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l field-manager -d 'Name of the manager that the server records for the fields that are set' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -s d -l detach -d 'Return after submitting instead of following'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -s k -l keep-order -d 'Print what the indexes write in index order; what comes early waits, on disk where it is much'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -s q -l quiet -d 'Neither progress nor summary, only the output and errors'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand retry" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -s l -l selector -d 'Labels of the Jobs that are meant, as in kubectl get -l' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l dry-run -d 'Only show what would be done' -r -f -a "none\t'Do it'
client\t'Build and check it here, and print it'
server\t'Have the server check it without storing it, and print what it would store'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -s o -l output -d 'Form of the changed Jobs on stdout' -r -f -a "yaml\t''
json\t''
name\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l field-manager -d 'Name of the manager that the server records for the fields that are set' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l all -d 'All Indexed Jobs of the namespace that have not finished'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -s y -l yes -d 'Don\'t ask before running Pods of more than one Job are ended'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand suspend" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -s l -l selector -d 'Labels of the Jobs that are meant, as in kubectl get -l' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l dry-run -d 'Only show what would be done' -r -f -a "none\t'Do it'
client\t'Build and check it here, and print it'
server\t'Have the server check it without storing it, and print what it would store'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -s o -l output -d 'Form of the changed Jobs on stdout' -r -f -a "yaml\t''
json\t''
name\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l field-manager -d 'Name of the manager that the server records for the fields that are set' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l all -d 'All Indexed Jobs of the namespace that have not finished'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -s l -l selector -d 'Labels of the Jobs that are meant, as in kubectl get -l' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -s j -l parallelism -d 'How many indexes may run at once; 0 for none' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l completions -d 'How many indexes there are: only where all of them run at once, --parallelism then being the same' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l dry-run -d 'Only show what would be done' -r -f -a "none\t'Do it'
client\t'Build and check it here, and print it'
server\t'Have the server check it without storing it, and print what it would store'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -s o -l output -d 'Form of the changed Jobs on stdout' -r -f -a "yaml\t''
json\t''
name\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l field-manager -d 'Name of the manager that the server records for the fields that are set' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l all -d 'All Indexed Jobs of the namespace that have not finished'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -s y -l yes -d 'Don\'t ask before running Pods of more than one Job are ended'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand scale" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l older-than -d 'Only Jobs that ended longer ago than this, or that have not ended and were created longer ago, as in 1d or 12h' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -s l -l selector -d 'Only Jobs with these labels, as in kubectl get -l' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l keep-results -d 'Gather first what each Job gave, into the folder DIR/JOB; a Job of which something can\'t be had is kept' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l dry-run -d 'Only show what would be deleted' -r -f -a "none\t'Do it'
client\t'Build and check it here, and print it'
server\t'Have the server check it without storing it, and print what it would store'"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -s o -l output -d 'Form of the names of what was deleted' -r -f -a "name\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l finished -d 'Only Jobs that have completed or failed'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l all -d 'All Indexed Jobs of the namespace'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -s A -l all-namespaces -d 'In all namespaces'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -s y -l yes -d 'Don\'t ask: it asks where more than one Job would go, or an unnamed one that has not finished'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l no-wait -d 'Return at once instead of waiting until the Job and its Pods are gone'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l ignore-not-found -d 'Do not complain about a Job that is not there'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand completion" -s h -l help -d 'Print help'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -s o -l output -d 'Form of the settings' -r -f -a "yaml\t''
json\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l example -d 'Print a file to start from: every setting, explained, none of them set'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand config" -s h -l help -d 'Print help'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -s o -l output -d 'Form of the versions' -r -f -a "yaml\t''
json\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l client -d 'Only the version of this program: no server is asked'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand version" -s h -l help -d 'Print help'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand help" -s h -l help -d 'Print help'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -s n -l namespace -d 'Namespace to work in' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -l kubeconfig -d 'kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -l context -d 'Context of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -l cluster -d 'Cluster of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -l user -d 'User of the kubeconfig to use' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -s s -l server -d 'Address and port of the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -l token -d 'Bearer token for the API server' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -l as -d 'User to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -l as-group -d 'Group to impersonate; can be repeated' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -l request-timeout -d 'How long to wait for one request, as in 30s or 1m; 0 waits for ever' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -l certificate-authority -d 'Certificate file of the authority that signed the server\'s certificate' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -l client-certificate -d 'Certificate file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -l client-key -d 'Key file to authenticate with' -r -F
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -l tls-server-name -d 'Name to expect in the server\'s certificate' -r
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -l plain -d 'Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader' -r -f -a "true\t''
false\t''"
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -l insecure-skip-tls-verify -d 'Take any certificate from the server: anybody may then read and change what is sent'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -l disable-compression -d 'Ask the server not to compress its answers'
complete -c kubectl-indexed -n "__fish_kubectl_indexed_using_subcommand man" -s h -l help -d 'Print help'
