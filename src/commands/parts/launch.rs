//! What `run` and `retry` do with the Job that they create: print its objects, or follow it to its end.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use k8s_openapi::api::batch::v1::Job;
use serde_json::{Value, json};

use super::change::name;
use super::follow::pick::Pick;
use super::follow::print::{LogForm, LogPrinter};
use super::follow::report::{self, follow_up_hint, not_followed_error};
use super::follow::{self, FollowEnd, LineOrder, LogView};
use super::output::{self, OutputChoice};
use super::outputs::cut::CutLogs;
use super::outputs::keep::Keeper;
use super::submit::JobOrigin;
use super::{Context, find};
use crate::args::{DataFormat, DryRun, FollowArgs, ObjectArgs, ObjectFormat};
use crate::cluster::Cluster;
use crate::cluster::logs::LogOptions;
use crate::error::{Error, Exit, Hint};
use crate::manifest::{self, Manifest};
use crate::state::{ItemTexts, JobState};

/// How the Job is created, and how its output is shown.
pub(crate) struct Launch {
    pub(crate) args: FollowArgs,
    pub(crate) dry_run: DryRun,
    pub(crate) output: OutputChoice<ObjectFormat>,
    pub(crate) manager: String,
    /// The folder for the output of each index.
    pub(crate) results: Option<PathBuf>,
}

impl Launch {
    /// # Errors
    /// If `-o` would print the objects among the output of the indexes.
    pub(crate) fn new(
        args: FollowArgs,
        objects: ObjectArgs,
        results: Option<PathBuf>,
        context: &mut Context,
    ) -> Result<Self> {
        let ObjectArgs { dry_run, output, field_manager: manager } = objects;
        let output = output::read(output, true)?;
        if output.is_some() && !args.detach && dry_run == DryRun::None {
            return Err(Error::usage("-o would print the objects among the output of the indexes")
                .hint("add --detach, or --dry-run=client to create nothing")
                .into());
        }
        context.ui.voice.quiet = args.quiet;
        Ok(Self { args, dry_run, output, manager, results })
    }

    /// Prints the objects as `-o` says, the ConfigMaps first, because the Job needs them.
    pub(crate) fn print(self, manifest: Manifest, done: &str, context: &mut Context) -> Result<Exit> {
        let mut objects: Vec<Value> = manifest.config_maps.into_iter().chain([manifest.job]).collect();
        objects.iter_mut().for_each(manifest::strip_server_fields);
        let name = |object: &Value| {
            let kind = if object["kind"] == "Job" { "job.batch" } else { "configmap" };
            format!("{kind}/{}", object["metadata"]["name"].as_str().unwrap_or_default())
        };
        if let Some(mut custom) = self.output.custom {
            // As kubectl prints objects that it creates.
            custom.each(&objects, context)?;
            return Ok(Exit::Success);
        }
        let text = match self.output.word {
            None => join_lines(&objects, |object| format!("{} {done}", name(object))),
            Some(ObjectFormat::Name) => join_lines(&objects, name),
            Some(ObjectFormat::Yaml) => manifest::yaml::documents(&objects).context("writing YAML")?,
            Some(ObjectFormat::Json) => {
                let whole = match objects.len() {
                    1 => objects.remove(0),
                    _ => json!({"apiVersion": "v1", "kind": "List", "items": objects}),
                };
                output::data(&whole, DataFormat::Json)?
            }
        };
        context.ui.data(text)?;
        Ok(Exit::Success)
    }

    /// Prints the objects of a Job that is not followed.
    pub(crate) fn detach(self, manifest: Manifest, how: JobOrigin, name: &str, context: &mut Context) -> Result<Exit> {
        let done = if how == JobOrigin::Unchanged { "unchanged" } else { "created" };
        let exit = self.print(manifest, done, context)?;
        context.ui.hint(follow_up_hint(name));
        Ok(exit)
    }

    /// Prints the output of the workers until the Job has ended. Loads the items if they are not given. `closing` returns a
    /// last sentence.
    pub(crate) async fn follow(
        self,
        job: Value,
        items: Option<ItemTexts>,
        closing: impl FnOnce(&JobState) -> Option<String>,
        cluster: &Arc<Cluster>,
        context: &mut Context,
    ) -> Result<Exit> {
        let job: Job = serde_json::from_value(job).context("reading the created job")?;
        let (name, state) = (name(&job).to_owned(), JobState::new(job.clone()));
        let items = match items {
            Some(items) => Ok(items),
            None => find::items_or_warning(find::load_items_of(&state.all(), Some(&job), cluster).await, context),
        };
        let items = match items {
            Ok(items) => items,
            Err(error) => return Err(not_followed_error(&name, error.into(), cluster).await),
        };
        let mut keeper = self.results.map(|path| Keeper::open(&path, &job, items.clone())).transpose()?;
        let logs = log_view(&self.args, &job, &items);
        let end = match follow::follow(state, logs, keeper.as_mut(), cluster, context).await {
            Ok(end) => end,
            Err(error) => return Err(not_followed_error(&name, error, cluster).await),
        };
        let (state, missing) = match end {
            FollowEnd::Finished(state, missing) => (state, missing),
            FollowEnd::Interrupted { job_has_ended } => {
                context.ui.end_live();
                let fate = if job_has_ended { "has ended" } else { "goes on" };
                context.ui.status(&format!("detached: job {name} {fate}"));
                if let Some(keeper) = keeper {
                    let path = keeper.stop()?.display().to_string();
                    context.ui.hint(Hint::indexed(
                        &["results", "-f", &name, "--to", &path],
                        "collects the rest of the results",
                    ));
                }
                context.ui.hint(follow_up_hint(&name));
                return Ok(Exit::Interrupted);
            }
        };
        let signals = context.signals.clone();
        let kept = match keeper {
            Some(keeper) => signals.unless_interrupted(Box::pin(keeper.finish(&state, cluster, context))).await,
            None => Some(Ok(Exit::Success)),
        };
        let exit = report::report_outcome(&state, &items, context);
        if let Some(closing) = closing(&state) {
            context.ui.status(&closing);
        }
        match kept {
            None => Ok(Exit::Interrupted),
            Some(Err(error)) => Err(error),
            Some(Ok(_)) => report::report_missing(&missing.of_ended(&state), &name).map(|_| exit),
        }
    }
}

fn join_lines(objects: &[Value], line: impl Fn(&Value) -> String) -> String {
    objects.iter().flat_map(|object| [line(object), "\n".to_owned()]).collect()
}

fn log_view(args: &FollowArgs, job: &Job, items: &ItemTexts) -> LogView {
    let one_index = job.spec.as_ref().and_then(|spec| spec.completions) == Some(1);
    let form = LogForm { prefix: args.prefix, one_index, ..LogForm::default() };
    LogView {
        wanted: Box::new(|state| state.all()),
        pick: Pick::worker(job),
        options: LogOptions::default(),
        printer: LogPrinter::new(form, items.clone()),
        order: if args.keep_order { LineOrder::ByIndex } else { LineOrder::AsTheyCome },
        streams: Arc::default(),
        cut: CutLogs::default(),
    }
}
