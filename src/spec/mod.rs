//! Validated intent: what a command line asks for, free of clap and of Kubernetes types.
//!
//! # Which file does what
//!
//! | files | do | may use, of this folder |
//! | --- | --- | --- |
//! | `duration`, `name`, `near`, `pairs`, `pod`, `server`, `base` | read one value, or know one rule | – |
//! | `items` | holds items and their columns | – |
//! | `select`, `lists`, `intake/` | read items from flags and files | the above |
//! | `template`, `script/` | find placeholders and put references into scripts | the above, and each other |
//! | `handover`, `variables` | decide how an item reaches its worker | the above, and each other |
//! | `stores` | decides where the list is kept | the above |
//! | `policy` | reads retries, limits and early ends | `base`, `duration`, `server` |
//! | `sources` | finds the one source of items, and checks its flags | all above |
//! | `mod`, `resume`, `retry` | resolve `run`, `run --resume` and `retry` | all |
//! | `settings` | reads defaults from a file and variables | `items`, `near`, `pairs` |
//!
//! Only `resume`, `retry` and, for `MAX_COMPLETIONS`, `sources` import from `mod`.

pub(crate) mod base;
pub(crate) mod duration;
pub(crate) mod handover;
pub(crate) mod intake;
pub(crate) mod items;
mod lists;
pub(crate) mod name;
pub(crate) mod near;
mod pairs;
mod pod;
pub(crate) mod policy;
pub(crate) mod resume;
pub(crate) mod retry;
mod script;
pub(crate) mod select;
pub(crate) mod server;
pub(crate) mod settings;
pub(crate) mod sources;
pub(crate) mod stores;
pub(crate) mod template;
mod variables;

use serde_json::Value;

use crate::args::{self, ConfiguredFlags, FlagBeforeName, HandoverArgs, RunArgs};
use crate::contract;
use crate::error::{Error, Hint};
use handover::{Handover, HandoverChoices, HandoverRequest, ItemForm, Slurm};
use items::Items;
pub(crate) use pod::{Requirement, Resources, Toleration};
use policy::Policy;
use resume::{RemainingItems, ResumedJob};
pub(crate) use script::warn_of_windows_lines;
use select::LoadedItems;
use sources::{FoundItems, ListedConfigMap};
use stores::ItemStore;

/// Image of the worker when neither the flags nor a template name one.
pub(crate) const DEFAULT_IMAGE: &str = "docker.io/library/busybox";
/// The number of characters that make a generated name unique.
pub(crate) const SUFFIX_LENGTH: usize = 5;
/// The default parallelism.
const DEFAULT_PARALLELISM: u32 = 100;
/// The largest parallelism that the API accepts for an Indexed Job (`pkg/apis/batch/validation`).
const MAX_PARALLELISM: u32 = 100_000;
/// The largest number of completions with per-index limits and no `maxFailedIndexes` (`pkg/apis/batch/validation`).
const MAX_COMPLETIONS: usize = 100_000;

/// A Job that can be built. All checks that need no server have passed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JobSpec {
    /// A DNS label with room for `-INDEX`.
    pub(crate) name: String,
    /// The stem of a generated name: that of the template or the command.
    pub(crate) app: String,
    /// Only if the user named one: a manifest without it stays portable.
    pub(crate) namespace: Option<String>,
    /// At least 1; the number of items, if there are any.
    pub(crate) completions: u32,
    /// Empty if the worker uses only its index.
    pub(crate) items: Items,
    /// The absolute path of the file that holds the index.
    pub(crate) index_file: Option<String>,
    pub(crate) handover: Handover,
    pub(crate) item_store: ItemStore,
    /// As typed; empty keeps the command of the template.
    pub(crate) command: Vec<String>,
    /// `None` keeps the image of the template.
    pub(crate) image: Option<String>,
    /// Image of the init container, if there is one.
    pub(crate) init_image: String,
    /// At least 1.
    pub(crate) parallelism: u32,
    pub(crate) policy: Policy,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) annotations: Vec<(String, String)>,
    pub(crate) queue: Option<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) resources: Resources,
    pub(crate) workdir: Option<String>,
    pub(crate) image_pull_policy: Option<&'static str>,
    pub(crate) service_account: Option<String>,
    pub(crate) node_selector: Vec<(String, String)>,
    pub(crate) tolerations: Vec<Toleration>,
    pub(crate) image_pull_secrets: Vec<String>,
    pub(crate) priority_class: Option<String>,
    /// The Job that ran the rest of the list before.
    pub(crate) resumes: Option<ResumedJob>,
    /// The template: a Job manifest that all other fields are merged into.
    pub(crate) base: Option<Value>,
}

impl JobSpec {
    pub(crate) fn feed(&self) -> Feed<'_> {
        Feed {
            job: &self.name,
            items: &self.items,
            handover: &self.handover,
            store: &self.item_store,
            init_image: &self.init_image,
            index_file: self.index_file.as_deref(),
        }
    }
}

/// The items of a Job, and how they reach its Pods.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Feed<'a> {
    pub(crate) job: &'a str,
    pub(crate) items: &'a Items,
    pub(crate) handover: &'a Handover,
    pub(crate) store: &'a ItemStore,
    pub(crate) init_image: &'a str,
    pub(crate) index_file: Option<&'a str>,
}

/// What the caller read for [`resolve`], which does no I/O.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inputs {
    /// Name and bytes of the manifest of `--template`.
    pub(crate) template: Option<(String, Vec<u8>)>,
    /// Makes a generated name unique: five lower-case letters or digits.
    pub(crate) suffix: String,
    pub(crate) namespace: Option<String>,
    /// The items of `--items-file`, from [`sources::read_items_file`].
    pub(crate) file: Option<LoadedItems>,
    /// The content of `--items-configmap`.
    pub(crate) listed: Option<ListedConfigMap>,
    /// The seed of `--shuffle` if it names none.
    pub(crate) seed: u64,
    /// The items that have not succeeded before; `None` runs all.
    pub(crate) remaining: Option<RemainingItems>,
}

/// A Job that can be built, with messages for the user.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resolved {
    pub(crate) spec: JobSpec,
    /// Facts that the user may not expect.
    pub(crate) notes: Vec<String>,
    /// Likely mistakes.
    pub(crate) warnings: Vec<String>,
}

pub(crate) fn resolve(args: RunArgs, inputs: Inputs) -> Result<Resolved, Error> {
    let RunArgs {
        positional_name,
        command,
        source,
        handover,
        name,
        parallelism,
        labels,
        annotations,
        queue,
        template: _,
        policy,
        image,
        env,
        cpu,
        memory,
        gpu,
        workdir,
        image_pull_policy,
        service_account,
        node_selector,
        tolerations,
        image_pull_secrets,
        priority_class,
        // The caller reads what has succeeded.
        resume: _,
        // The command decides how the run is shown.
        follow: _,
        results: _,
        objects: _,
        configured,
        name_after,
    } = args;

    sources::check(&source, &command)?;
    pod::check_image("--image", image.as_deref())?;
    pod::check_image("--init-image", handover.init_image.as_deref())?;
    let base = inputs.template.map(|(origin, bytes)| base::parse(&origin, &bytes)).transpose()?;
    let (command, after_command) = sources::split_command(&command)?;
    check_command(&command, positional_name.as_deref(), base.as_ref())?;
    let has_lists = !after_command.is_empty();
    let found = sources::find(&source, after_command, inputs.file, inputs.listed, inputs.seed)?;
    if let (Some(flag), Some(name)) = (name_after, &positional_name) {
        check_name_after(flag, name, found.items.len())?;
    }
    let (found, resumes) = match inputs.remaining {
        Some(RemainingItems { positions, resumes }) => (found.select(&positions)?, Some(resumes)),
        None => (found, None),
    };
    let header_of = found.header_of.as_ref().filter(|_| handover.item_as != Some(ItemForm::Env));
    let header = header_of.map(|origin| sources::check_header(origin, &found.items, &command)).transpose()?;
    let (init_image, index_file) = (handover.init_image.clone(), handover.index_file.clone());
    let app = app_name(&command, base.as_ref());
    let name = match name.or(positional_name) {
        Some(name) => name::check(&name, found.completions)?,
        None => name::generate(&app, &inputs.suffix, found.completions),
    };
    let slurm = slurm_facts(&name, cpu.as_deref(), workdir.as_deref(), base.as_ref());
    let (handover, item_store, mut warnings) =
        plan_handover(handover, &found, &command, has_lists, &env, slurm, base.as_ref(), &configured)?;
    let FoundItems { items, completions, at_once, is_range: _, listed: _, mut notes, header_of: _ } = found;
    notes.extend(header.flatten());
    let parallelism = choose_parallelism(parallelism, at_once, base.as_ref(), completions, &configured)?;
    let (policy, more_warnings) = policy::resolve(policy, completions, base.as_ref(), &configured)?;
    warnings.extend(more_warnings);
    check_annotations(&annotations, &command)?;

    let spec = JobSpec {
        name,
        app,
        namespace: inputs.namespace,
        completions,
        items,
        index_file,
        handover,
        item_store,
        command,
        image: image.or_else(|| {
            let stands = base.as_ref().is_some_and(|base| base::worker(base).and_then(|w| w.get("image")).is_some());
            (!stands).then(|| DEFAULT_IMAGE.to_owned())
        }),
        init_image: init_image.unwrap_or_else(|| DEFAULT_IMAGE.to_owned()),
        parallelism,
        policy,
        labels,
        annotations,
        queue,
        env,
        resources: Resources::parse(cpu, memory, gpu)?,
        workdir,
        image_pull_policy: image_pull_policy.map(pod::pull_policy),
        service_account,
        node_selector,
        tolerations: tolerations.iter().map(|text| Toleration::parse(text)).collect::<Result<_, _>>()?,
        image_pull_secrets,
        priority_class,
        resumes,
        base,
    };
    Ok(Resolved { spec, notes, warnings })
}

/// Returns what the variables of Slurm say about the Job. A flag takes precedence over the template.
fn slurm_facts(job: &str, cpu: Option<&str>, workdir: Option<&str>, base: Option<&Value>) -> Slurm {
    let worker = base.and_then(base::worker);
    let text = |path: &str| {
        let value = worker.and_then(|worker| worker.pointer(path))?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let cpu =
        cpu.map(str::to_owned).or_else(|| text("/resources/requests/cpu")).or_else(|| text("/resources/limits/cpu"));
    let cpus = cpu.and_then(|cpu| pod::whole_cores(&cpu)).unwrap_or(1);
    Slurm { job: job.to_owned(), cpus, workdir: workdir.map(str::to_owned).or_else(|| text("/workingDir")) }
}

/// Decides how the items reach the worker and where they are kept. Returns warnings with it.
#[expect(clippy::too_many_arguments, reason = "each is a part of the command line or of the template")]
fn plan_handover(
    args: HandoverArgs,
    found: &FoundItems,
    command: &[String],
    after_command: bool,
    env: &[(String, String)],
    slurm: Slurm,
    base: Option<&Value>,
    configured: &ConfiguredFlags,
) -> Result<(Handover, ItemStore, Vec<String>), Error> {
    let HandoverArgs {
        item_as,
        item_path,
        no_placeholders,
        shell,
        no_shell,
        index_env,
        index_file,
        compat,
        item_store,
        init_image,
    } = args;
    let request = HandoverRequest {
        form: item_as,
        choices: HandoverChoices { form: item_as.is_some(), no_placeholders, shell, no_shell },
        kept_variables: Vec::new(),
        path: item_path.map(|path| check_path("--item-path", &path).map(|()| path)).transpose()?,
        index_env,
        compat,
        env,
        arguments: after_command.then_some("::: lists arguments"),
        is_range: found.is_range,
        template_command: command.is_empty() && base.is_some_and(|base| !base::command(base).is_empty()),
        completions: found.completions,
        slurm,
    };
    let (handover, mut warnings) = Handover::plan(command, &found.items, &request)?;
    // A template may set any variable.
    warnings.extend(variables::warn_of_unset_variable(command, &found.items, &request).filter(|_| base.is_none()));
    let choose = |asked| choose_store(asked, found.listed.clone(), &handover, &found.items);
    let item_store = match choose(item_store) {
        // A configured default does not apply to a list that it does not fit.
        Err(_) if configured.contains("item-store") => choose(args::StoreChoice::Auto)?,
        chosen => chosen?,
    };
    if let Some(path) = &index_file {
        check_index_file(path, &handover)?;
    }
    if !configured.contains("init-image") {
        check_init_image(init_image.as_deref(), &handover, &item_store)?;
    }
    Ok((handover, item_store, warnings))
}

/// Checks that the name of the Job is not meant as the value of the flag before it.
fn check_name_after(flag: FlagBeforeName, name: &str, items: usize) -> Result<(), Error> {
    let (problem, hint) = match flag {
        FlagBeforeName::Items if items == 1 => {
            ("--items takes one value", "separate items by commas: --items a,b".to_owned())
        }
        FlagBeforeName::Shuffle if name.parse::<u64>().is_ok() => {
            ("--shuffle takes its seed after an equals sign", format!("write --shuffle={name}"))
        }
        FlagBeforeName::Items | FlagBeforeName::Shuffle => return Ok(()),
    };
    Err(Error::usage(format!("{problem}, and {name:?} after it would be the name of the Job"))
        .hint(hint)
        .hint(format!("to name the Job, write --name {name}")))
}

fn check_command(command: &[String], name: Option<&str>, base: Option<&Value>) -> Result<(), Error> {
    // A template without a command relies on the entry point of its image.
    if !command.is_empty() || base.is_some_and(|base| base::worker(base).is_some()) {
        return Ok(());
    }
    let named = |name| format!("{name:?} was taken for the name of the Job");
    Err(Error::usage("there is no command to run for each item")
        .hint(
            Hint::from("put the command last, after two dashes: ")
                .then(Hint::indexed(&["run", "--items", "foo,bar,baz", "--", "rev"], "")),
        )
        .hint_if(name.map(named)))
}

/// Checks that a path can be that of a file in the worker.
fn check_path(flag: &str, path: &str) -> Result<(), Error> {
    if !path.starts_with('/') || path.ends_with('/') || path.contains(':') {
        // The API refuses a colon in a mount path (`validateVolumeMounts` in `pkg/apis/core/validation`).
        return Err(Error::usage(format!("{flag} {path:?} is not the absolute path of a file"))
            .hint(format!("write it as {flag} /work/item.txt")));
    }
    Ok(())
}

fn check_index_file(path: &str, handover: &Handover) -> Result<(), Error> {
    let (folder, name) = path.rsplit_once('/').unwrap_or_default();
    if name.is_empty() || !folder.starts_with('/') || folder.len() == 1 {
        return Err(Error::usage(format!("--index-file {path:?} is not the absolute path of a file in a folder"))
            .hint("write it as --index-file /index/data.txt"));
    }
    if handover.form != ItemForm::Index && path.starts_with(contract::INPUT_DIR) {
        return Err(Error::usage(format!(
            "--index-file {path:?} is in {}, the folder of the item",
            contract::INPUT_DIR
        ))
        .hint("use another folder, as in --index-file /index/data.txt"));
    }
    Ok(())
}

fn check_init_image(image: Option<&str>, handover: &Handover, store: &ItemStore) -> Result<(), Error> {
    let picks = handover.needs_item() && (store.needs_picking() || store.is_checked());
    match image.filter(|_| !picks && !handover.depends_on_server()) {
        Some(image) => {
            Err(Error::usage(format!("--init-image {image:?} has no effect: this run needs no init container"))
                .hint("remove --init-image, or add --item-store=inline"))
        }
        None => Ok(()),
    }
}

/// Chooses the store for a list that replaces another one with the same items.
pub(crate) fn choose_store_again(
    inline: bool,
    listed: Option<ItemStore>,
    handover: &Handover,
    items: &Items,
) -> Result<ItemStore, Error> {
    let asked = if inline { args::StoreChoice::Inline } else { args::StoreChoice::Auto };
    choose_store(asked, listed, handover, items)
}

fn choose_store(
    asked: args::StoreChoice,
    listed: Option<ItemStore>,
    handover: &Handover,
    items: &Items,
) -> Result<ItemStore, Error> {
    if let Some(listed) = listed {
        if asked != args::StoreChoice::Auto {
            return Err(Error::usage("--item-store has no effect: --items-configmap says where the list is kept")
                .hint("remove --item-store"));
        }
        let derived = |p: &template::Placeholder| p.operation != template::Operation::None;
        if handover.item_variables().any(|(_, placeholder)| derived(placeholder)) {
            return Err(Error::usage(
                "--items-configmap can't be used with {.}, {/}, {//} and {/.}: the list in the cluster has only whole items",
            )
            .hint("use {}, or read the list from a file with --items-file FILE"));
        }
        return Ok(listed);
    }
    match asked {
        args::StoreChoice::Inline if !handover.needs_item() => {
            Err(Error::usage("--item-store inline has no effect: the worker gets its index, and no item")
                .hint("remove --item-store"))
        }
        args::StoreChoice::Inline => {
            stores::check_inline(items, &handover.payload())?;
            Ok(ItemStore::Inline)
        }
        args::StoreChoice::Auto | args::StoreChoice::Configmap if items.is_empty() => Ok(ItemStore::Nowhere),
        args::StoreChoice::Auto | args::StoreChoice::Configmap => {
            stores::choose_config_maps(items, &handover.payload())
        }
    }
}

/// The most bytes that the keys and values of an object's annotations may have together (`TotalAnnotationSizeLimitB` in
/// `k8s.io/apimachinery/pkg/api/validation`).
const MAX_ANNOTATION_BYTES: usize = 256 * 1024;
/// The part of it that this program's own annotations may take, besides the command.
const OWN_ANNOTATION_BYTES: usize = 8 * 1024;

/// Checks the size of all annotations. An annotation holds the command, so the command counts.
fn check_annotations(annotations: &[(String, String)], command: &[String]) -> Result<(), Error> {
    let users: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
    let noted = Value::from(command.to_vec()).to_string().len();
    let room = MAX_ANNOTATION_BYTES - OWN_ANNOTATION_BYTES;
    if users + noted > room {
        return Err(Error::usage(format!(
            "the annotations have {} bytes, {noted} of them for the command, and at most {room} fit",
            users + noted
        ))
        .hint("put a long script into the image, a ConfigMap or an item, and name it in the command"));
    }
    Ok(())
}

fn choose_parallelism(
    asked: Option<u32>,
    by_range: Option<u32>,
    base: Option<&Value>,
    completions: u32,
    configured: &ConfiguredFlags,
) -> Result<u32, Error> {
    let is_configured = configured.contains("parallelism");
    let asked = asked.filter(|_| !is_configured || by_range.is_none());
    if let (Some(asked), Some(by_range)) = (asked, by_range) {
        return Err(Error::usage(format!(
            "--parallelism {asked} and %{by_range} both set how many indexes run at once"
        ))
        .hint("remove one of them"));
    }
    match asked.or(by_range) {
        Some(n) if is_configured && by_range.is_none() => Ok(check_parallelism(n)?.min(completions)),
        Some(n) => check_parallelism(n),
        None => {
            let stands = base.and_then(|base| base.pointer("/spec/parallelism")).and_then(Value::as_u64);
            let stands = stands.and_then(|n| u32::try_from(n).ok()).filter(|&n| n > 0);
            Ok(stands.unwrap_or_else(|| completions.min(DEFAULT_PARALLELISM)))
        }
    }
}

fn check_parallelism(at_once: u32) -> Result<u32, Error> {
    match at_once {
        0 => Err(Error::usage("--parallelism 0 would run nothing").hint("use --parallelism 1 or more")),
        n if n > MAX_PARALLELISM => Err(Error::usage(format!(
            "--parallelism {n} is over Kubernetes' limit of {MAX_PARALLELISM} for an Indexed Job"
        ))
        .hint(format!("use --parallelism {MAX_PARALLELISM} or less"))),
        n => Ok(n),
    }
}

/// Returns the stem of a generated name: that of the template, else of the command, else "job".
fn app_name(command: &[String], base: Option<&Value>) -> String {
    let command = command.first().map(|program| program.rsplit(['/', '\\']).next().unwrap_or(program));
    let of_template = |field: &str| base.and_then(|base| base["metadata"][field].as_str());
    [of_template("name"), of_template("generateName"), command]
        .into_iter()
        .flatten()
        .map(name::clean)
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "job".to_owned())
}

#[cfg(test)]
pub(crate) mod tests;
