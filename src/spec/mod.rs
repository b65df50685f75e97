//! What a run is meant to be: validated intent, free of clap and of Kubernetes types.

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

use crate::args::{self, ConfiguredFlags, HandoverArgs, RunArgs};
use crate::contract;
use crate::error::{Error, Hint};
use handover::{Handover, HandoverChoices, HandoverRequest, ItemForm, Slurm};
use items::Items;
pub(crate) use pod::{Requirement, Resources, Toleration};
use policy::Policy;
use resume::{RemainingItems, ResumedJob};
pub(crate) use script::windows_lines;
use select::LoadedItems;
use sources::{FoundItems, ListedConfigMap};
use stores::ItemStore;

/// Image of the worker when neither the flags nor a template name one.
pub(crate) const DEFAULT_IMAGE: &str = "docker.io/library/busybox";
/// How many characters make a generated name unique.
pub(crate) const SUFFIX_LENGTH: usize = 5;
/// How many indexes run at once unless the user says otherwise.
const DEFAULT_PARALLELISM: u32 = 100;
/// Greatest parallelism that the API takes for an Indexed Job (`pkg/apis/batch/validation`).
const MAX_PARALLELISM: u32 = 100_000;
/// Greatest number of completions with per-index limits and no `maxFailedIndexes` (`pkg/apis/batch/validation`).
const MAX_COMPLETIONS: usize = 100_000;

/// A Job that can be built: everything checked that can be checked without a server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JobSpec {
    /// A DNS label with room for `-INDEX`.
    pub(crate) name: String,
    /// What the Job is called after: the command's name.
    pub(crate) app: String,
    /// Only when the user named one, so that a manifest stays as portable as it was asked to be.
    pub(crate) namespace: Option<String>,
    /// At least 1; as many as there are items, where there are any.
    pub(crate) completions: u32,
    /// Empty when the worker goes by its index.
    pub(crate) items: Items,
    /// The absolute path of a file with the index.
    pub(crate) index_file: Option<String>,
    pub(crate) handover: Handover,
    pub(crate) item_store: ItemStore,
    /// As the user wrote it; empty when a template's own command stands.
    pub(crate) command: Vec<String>,
    /// None when the template's image stands.
    pub(crate) image: Option<String>,
    /// Image of the init container, where there is one.
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
    pub(crate) image_pull_policy: Option<String>,
    pub(crate) service_account: Option<String>,
    pub(crate) node_selector: Vec<(String, String)>,
    pub(crate) tolerations: Vec<Toleration>,
    pub(crate) image_pull_secrets: Vec<String>,
    pub(crate) priority_class: Option<String>,
    /// Which Job ran the rest of the list before.
    pub(crate) resumes: Option<ResumedJob>,
    /// A Job manifest to lay the rest over.
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

/// What `resolve` needs from the world, read by the caller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inputs {
    /// The manifest that `--template` names: where it came from and its bytes.
    pub(crate) template: Option<(String, Vec<u8>)>,
    /// What makes a generated name unique: five lower-case letters or digits.
    pub(crate) suffix: String,
    pub(crate) namespace: Option<String>,
    /// What [`sources::intake`] took in of `--items-file`.
    pub(crate) file: Option<LoadedItems>,
    /// The list that `--items-configmap` names.
    pub(crate) listed: Option<ListedConfigMap>,
    /// What orders the items of a `--shuffle` that names no seed.
    pub(crate) seed: u64,
    /// What is left of the items, where others have succeeded before; all of them without it.
    pub(crate) left: Option<RemainingItems>,
}

/// A Job that can be built, and what the user should be told about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resolved {
    pub(crate) spec: JobSpec,
    /// What was done, and the user may not expect.
    pub(crate) notes: Vec<String>,
    /// What may not be meant.
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
        // What has succeeded is read by the caller.
        resume: _,
        // How the run is shown is the command's business.
        follow: _,
        results: _,
        objects: _,
        configured,
        name_behind_items,
    } = args;

    sources::check(&source, &command)?;
    pod::check_image("--image", image.as_deref())?;
    pod::check_image("--init-image", handover.init_image.as_deref())?;
    let base = inputs.template.map(|(origin, bytes)| base::parse(&origin, &bytes)).transpose()?;
    let (command, behind_command) = sources::split_command(&command)?;
    check_command(&command, positional_name.as_deref(), base.as_ref())?;
    let behind = !behind_command.is_empty();
    let found = sources::find(&source, behind_command, inputs.file, inputs.listed, inputs.seed)?;
    if let (true, Some(name), 1) = (name_behind_items, &positional_name, found.items.len()) {
        return Err(Error::usage(format!("--items takes one word, and {name:?} behind it would name the Job"))
            .hint("separate items by commas, as in --items a,b")
            .hint(format!("to name the Job, write --name {name}")));
    }
    let (found, resumes) = match inputs.left {
        Some(RemainingItems { positions, resumes }) => (found.only(&positions)?, Some(resumes)),
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
    let slurm = slurm(&name, cpu.as_deref(), workdir.as_deref(), base.as_ref());
    let (handover, item_store, mut warnings) =
        hand_over(handover, &found, &command, behind, &env, slurm, base.as_ref(), &configured)?;
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
        image_pull_policy: image_pull_policy.map(|policy| format!("{policy:?}")),
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

/// What the scripts of Slurm may ask of the Job: its template counts where no flag does.
fn slurm(job: &str, cpu: Option<&str>, workdir: Option<&str>, base: Option<&Value>) -> Slurm {
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

/// How the items reach the worker, and where they are kept.
#[expect(clippy::too_many_arguments, reason = "each is a part of the command line or of the template")]
fn hand_over(
    args: HandoverArgs,
    found: &FoundItems,
    command: &[String],
    behind_command: bool,
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
    let wishes = HandoverRequest {
        form: item_as,
        wished: HandoverChoices { form: item_as.is_some(), no_placeholders, shell, no_shell },
        standing: Vec::new(),
        path: item_path.map(|path| check_path("--item-path", &path).map(|()| path)).transpose()?,
        index_env,
        compat,
        env,
        arguments: behind_command.then_some("::: lists arguments"),
        is_range: found.is_range,
        template_command: command.is_empty() && base.is_some_and(|base| !base::command(base).is_empty()),
        completions: found.completions,
        slurm,
    };
    let (handover, mut warnings) = Handover::plan(command, &found.items, &wishes)?;
    // A template may set what it likes.
    warnings.extend(variables::unset_variable(command, &found.items, &wishes).filter(|_| base.is_none()));
    let choose = |asked| choose_store(asked, found.listed.clone(), &handover, &found.items);
    let item_store = match choose(item_store) {
        // It was meant for lists that can be kept so.
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

fn check_command(command: &[String], name: Option<&str>, base: Option<&Value>) -> Result<(), Error> {
    // An image may well have an entry point of its own: a template that names no command says so on purpose.
    if !command.is_empty() || base.is_some_and(|base| base::worker(base).is_some()) {
        return Ok(());
    }
    let named = |name| format!("{name:?} stands before them, and was read as the name of the Job");
    Err(Error::usage("there is no command to run for each item")
        .hint(
            Hint::from("put it last, after two dashes: ")
                .then(Hint::indexed(&["run", "--items", "foo,bar,baz", "--", "rev"], "")),
        )
        .hint_if(name.map(named)))
}

/// Checks the absolute path of a file that is to appear in the worker.
fn check_path(flag: &str, path: &str) -> Result<(), Error> {
    if !path.starts_with('/') || path.ends_with('/') || path.contains(':') {
        // A colon is what the API refuses in a mount path (`validateVolumeMounts` in `pkg/apis/core/validation`).
        return Err(Error::usage(format!("{flag} {path:?} is not the absolute path of a file"))
            .hint("write it as /work/item.txt"));
    }
    Ok(())
}

fn check_index_file(path: &str, handover: &Handover) -> Result<(), Error> {
    let (folder, name) = path.rsplit_once('/').unwrap_or_default();
    if name.is_empty() || !folder.starts_with('/') || folder.len() == 1 {
        return Err(Error::usage(format!("--index-file {path:?} is not the absolute path of a file in a folder"))
            .hint("write it as /index/data.txt"));
    }
    if handover.form != ItemForm::Index && path.starts_with(contract::INPUT_DIR) {
        return Err(Error::usage(format!("--index-file {path} lies in {}, where the item is", contract::INPUT_DIR))
            .hint("choose another folder, as in /index/data.txt"));
    }
    Ok(())
}

fn check_init_image(image: Option<&str>, handover: &Handover, store: &ItemStore) -> Result<(), Error> {
    let picks = handover.needs_item() && (store.needs_picking() || store.is_checked());
    match image.filter(|_| !picks && !handover.depends_on_server()) {
        Some(image) => {
            Err(Error::usage(format!("--init-image {image} has no use: nothing here needs an init container"))
                .hint("leave --init-image out, or add --item-store=inline"))
        }
        None => Ok(()),
    }
}

/// Where a list is kept that replaces one of the same items.
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
            return Err(Error::usage("--item-store has no use: --items-configmap names where the list is kept")
                .hint("leave --item-store out"));
        }
        let derived = |p: &template::Placeholder| p.operation != template::Operation::None;
        if handover.item_variables().any(|(_, placeholder)| derived(placeholder)) {
            return Err(Error::usage(
                "a list in the cluster is used as it is: what {.}, {/}, {//} and {/.} make of an item is not in it",
            )
            .hint("use {}, or pass the list by --items-file"));
        }
        return Ok(listed);
    }
    match asked {
        args::StoreChoice::Inline if !handover.needs_item() => {
            Err(Error::usage("--item-store inline has no use: no item is handed over, only the index")
                .hint("leave --item-store out"))
        }
        args::StoreChoice::Inline => {
            stores::check_inline(items, &handover.payload())?;
            Ok(ItemStore::Inline)
        }
        args::StoreChoice::Auto | args::StoreChoice::Configmap if items.is_empty() => Ok(ItemStore::Nowhere),
        args::StoreChoice::Auto | args::StoreChoice::Configmap => stores::config_maps(items, &handover.payload()),
    }
}

/// Most that the keys and values of an object's annotations may have together, in bytes (`TotalAnnotationSizeLimitB` in
/// `k8s.io/apimachinery/pkg/api/validation`).
const MAX_ANNOTATION_BYTES: usize = 256 * 1024;
/// What this program's own annotations may take of it, besides the command.
const OWN_ANNOTATION_BYTES: usize = 8 * 1024;

/// The command is noted in an annotation, so it counts.
fn check_annotations(annotations: &[(String, String)], command: &[String]) -> Result<(), Error> {
    let users: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
    let noted = Value::from(command.to_vec()).to_string().len();
    let room = MAX_ANNOTATION_BYTES - OWN_ANNOTATION_BYTES;
    if users + noted > room {
        return Err(Error::usage(format!(
            "the annotations would have {} bytes, {noted} of them the command, and Kubernetes takes {room} besides this \
             program's own",
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
            "--parallelism {asked} and %{by_range} both say how many indexes run at once"
        ))
        .hint("leave one of them out"));
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
        0 => Err(Error::usage("--parallelism 0 would never run anything").hint("give at least 1")),
        n if n > MAX_PARALLELISM => Err(Error::usage(format!(
            "--parallelism {n} is over Kubernetes' limit of {MAX_PARALLELISM} for an Indexed Job"
        ))
        .hint(format!("give at most {MAX_PARALLELISM}"))),
        n => Ok(n),
    }
}

/// What to call the work: the command's own name, else that of the template, else "job".
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
