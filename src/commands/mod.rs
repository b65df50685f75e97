//! The verbs: each loads, checks, acts, reports, and prints hints with the next commands.

mod complete;
mod config;
mod delete;
mod describe;
mod help;
mod indexes;
mod list;
mod logs;
mod man;
mod parts;
mod results;
mod resume;
mod retry;
mod run;
mod scale;
mod suspend;
mod version;
mod wait;
mod watch;

use std::process::ExitCode;
use std::sync::Arc;

use anstream::ColorChoice;
use anyhow::{Context as _, Result};
use jiff::Timestamp;

use crate::args::{GlobalArgs, Verb};
use crate::cluster::Cluster;
use crate::cluster::connect::{ConnectOptions, Trace};
use crate::error::{Error, Exit, Kind, quoted};
use crate::spec::duration;
use crate::tracker::signals::Signals;
use crate::ui::Ui;
use parts::settings::ConfiguredDefaults;
use parts::{change, find, follow, inputs, launch, output, outputs, resumed, settings, submit, words};

/// The streams, signals and settings that all verbs share.
pub(crate) struct Context {
    pub(crate) ui: Ui,
    /// Interrupts. A verb that follows a Job handles them: it reports that the Job continues.
    pub(crate) signals: Signals,
    global: GlobalArgs,
    /// Configured defaults. A broken configuration must not stop `config` or `completion`.
    settings: Result<ConfiguredDefaults, Error>,
}

impl Context {
    /// Connects to the cluster that the flags and the kubeconfig name.
    pub(crate) async fn cluster(&self) -> Result<Cluster> {
        let mut options = connect_options(self.global.clone())?;
        let voice = self.ui.voice.clone();
        options.on_silence =
            Some(Arc::new(move |server| voice.status(&format!("waiting for the server {server} to respond"))));
        let voice = self.ui.voice.clone();
        options.on_warning = Some(Arc::new(move |text| voice.relay("Warning:", text)));
        let voice = self.ui.voice.clone();
        options.trace.hook = Some(Arc::new(move |text| voice.relay("", text)));
        Cluster::connect(&options, &|name| std::env::var(name).ok()).await.context("connecting to the cluster")
    }

    /// Returns the current time. No layer below reads the clock.
    #[expect(clippy::unused_self, reason = "the clock belongs to the context, as the streams do")]
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Returns the flags with which a command reaches the same cluster and namespace, each after a space, without
/// secrets.
fn flags_for_hints(global: &GlobalArgs) -> String {
    let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let flags = [
        ("--kubeconfig", path(&global.kubeconfig)),
        ("--context", global.context.clone()),
        ("--cluster", global.cluster.clone()),
        ("--user", global.user.clone()),
        ("-s", global.server.clone()),
        ("-n", global.namespace.clone()),
        ("--as", global.as_user.clone()),
        ("--as-uid", global.as_uid.clone()),
        ("--username", global.username.clone()),
        ("--certificate-authority", path(&global.certificate_authority)),
        ("--client-certificate", path(&global.client_certificate)),
        ("--client-key", path(&global.client_key)),
        ("--tls-server-name", global.tls_server_name.clone()),
    ];
    let flags = flags.into_iter().filter_map(|(flag, value)| Some((flag, value?)));
    let groups = global.as_groups.iter().map(|group| ("--as-group", group.clone()));
    let extras = global.as_user_extra.iter().map(|(key, value)| ("--as-user-extra", format!("{key}={value}")));
    let flags = flags.chain(groups).chain(extras);
    let mut flags = flags.fold(String::new(), |words, (flag, value)| words + " " + flag + " " + &quoted(&value));
    if global.insecure_skip_tls_verify {
        flags.push_str(" --insecure-skip-tls-verify");
    }
    flags
}

/// Returns the global flags as options of the cluster layer.
fn connect_options(global: GlobalArgs) -> Result<ConnectOptions, Error> {
    let GlobalArgs {
        namespace,
        kubeconfig,
        context,
        cluster,
        user,
        server,
        token,
        as_user,
        as_groups,
        as_uid,
        as_user_extra,
        username,
        password,
        request_timeout,
        certificate_authority,
        client_certificate,
        client_key,
        tls_server_name,
        insecure_skip_tls_verify,
        disable_compression,
        verbosity,
    } = global;
    let request_timeout = duration::parse(&request_timeout).map_err(|problem| {
        Error::usage(format!("--request-timeout {request_timeout:?}: {problem}")).hint("write it as 30s or 1m")
    })?;
    Ok(ConnectOptions {
        kubeconfig,
        context,
        cluster,
        user,
        server,
        token,
        namespace,
        as_user,
        as_groups,
        as_uid,
        as_user_extra,
        username,
        password,
        request_timeout,
        on_silence: None,
        trace: Trace { level: verbosity.unwrap_or_default(), hook: None },
        on_warning: None,
        insecure_skip_tls_verify,
        certificate_authority,
        client_certificate,
        client_key,
        tls_server_name,
        disable_compression,
        unattended: false,
    })
}

/// Runs the program and returns its exit code.
pub(crate) fn main() -> ExitCode {
    let started_as = std::env::args_os().next().unwrap_or_default();
    let started_as = std::path::Path::new(&started_as).file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    if let Some(request) = complete::read_request(started_as) {
        return complete::answer(&request, &mut Ui::new(false, ColorChoice::Auto));
    }
    let mut context;
    let verb = match settings::read_command_line(started_as) {
        Ok((cli, settings)) => {
            let mut ui = Ui::new(cli.display.plain, color_choice(cli.display.color));
            ui.flags = flags_for_hints(&cli.global);
            context = Context { ui, signals: Signals::default(), global: cli.global, settings };
            cli.verb
        }
        Err(settings::Refusal::Help(error)) => {
            // A closed stderr can't be reported.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8));
        }
        Err(settings::Refusal::Wrong(error, display)) => {
            return ExitCode::from(
                finish(&mut Ui::new(display.plain, color_choice(display.color)), Err(error.into())) as u8
            );
        }
    };
    let result = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => {
            let signals = context.signals.clone();
            let result = runtime.block_on(async {
                tokio::select! {
                    result = dispatch(verb, &mut context) => result,
                    () = signals.second.cancelled() => Err(Error::new(Kind::Interrupted, "interrupted twice").into()),
                }
            });
            // A pending request must not delay the exit.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(error).context("starting"),
    };
    let result = result.and_then(|exit| Ok(context.ui.flush().map(|()| exit)?));
    ExitCode::from(finish(&mut context.ui, result) as u8)
}

/// Runs the verb.
async fn dispatch(verb: Verb, context: &mut Context) -> Result<Exit> {
    match verb {
        Verb::Run(args) => Box::pin(run::run(*args, context)).await,
        Verb::Describe(args) => Box::pin(describe::describe(args, context)).await,
        Verb::List(args) => list::list(args, context).await,
        Verb::Indexes(args) => Box::pin(indexes::indexes(args, context)).await,
        Verb::Logs(args) => Box::pin(logs::logs(*args, context)).await,
        Verb::Results(args) => Box::pin(results::results(args, context)).await,
        Verb::Wait(args) => Box::pin(wait::wait(args, context)).await,
        Verb::Watch(args) => Box::pin(watch::watch(args, context)).await,
        Verb::Retry(args) => Box::pin(retry::retry(*args, context)).await,
        Verb::Suspend(args) => suspend::suspend(args, context).await,
        Verb::Resume(args) => resume::resume(args, context).await,
        Verb::Scale(args) => scale::scale(args, context).await,
        Verb::Delete(args) => Box::pin(delete::delete(args, context)).await,
        Verb::Completion(args) => complete::print_script(args.shell, context),
        Verb::Config(args) => config::config(&args, context),
        Verb::Version(args) => version::version(args, context).await,
        Verb::Man(args) => man::man(&args.dir),
        Verb::Help(args) => help::help(&args.topic.unwrap_or_default(), context),
    }
}

/// Prints the error, and returns the exit code.
fn finish(ui: &mut Ui, result: Result<Exit>) -> Exit {
    match result {
        Ok(exit) => {
            ui.end_live();
            exit
        }
        // The reader closed the pipe. An error of our own reports cases that matter.
        Err(error) if is_broken_pipe(&error) => {
            ui.end_live();
            Exit::Success
        }
        Err(error) => {
            ui.error(&error);
            error.chain().find_map(|cause| cause.downcast_ref::<Error>()).map_or(Exit::Failure, Error::exit)
        }
    }
}

/// Converts clap's choice to that of the streams.
fn color_choice(choice: clap::ColorChoice) -> ColorChoice {
    match choice {
        clap::ColorChoice::Auto => ColorChoice::Auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let own = error.chain().any(<dyn std::error::Error>::is::<Error>);
    !own && error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
