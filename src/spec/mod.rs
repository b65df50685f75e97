//! What a run is meant to be: validated intent, free of clap and of Kubernetes types.

pub(crate) mod base;
pub(crate) mod items;
pub(crate) mod name;
mod pod;

use serde_json::Value;

use crate::args::{self, RunArgs};
use crate::contract;
use crate::error::Error;
use items::Items;
pub(crate) use pod::{Resources, Toleration};

/// Image of the worker when neither the flags nor a template name one.
pub(crate) const DEFAULT_IMAGE: &str = "docker.io/library/busybox";
/// How many indexes run at once unless the user says otherwise.
const DEFAULT_PARALLELISM: u32 = 100;
/// Greatest parallelism that the API takes for an Indexed Job (`pkg/apis/batch/validation`).
const MAX_PARALLELISM: u32 = 100_000;
/// Greatest number of completions with per-index limits and no `maxFailedIndexes` (`pkg/apis/batch/validation`).
const MAX_COMPLETIONS: usize = 100_000;

/// How an item reaches the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemForm {
    /// In the file [`crate::contract::ITEM_PATH`].
    File,
    /// Not at all: the worker goes by its index.
    Index,
}

/// Where the list of items is kept in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemStore {
    /// In the script of an init container.
    Inline,
    /// In a ConfigMap, a key for each index.
    ConfigMap,
}

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
    pub(crate) item_form: ItemForm,
    pub(crate) item_store: ItemStore,
    /// As the user wrote it; empty when a template's own command stands.
    pub(crate) command: Vec<String>,
    /// None when the template's image stands.
    pub(crate) image: Option<String>,
    /// Used by [`ItemStore::Inline`] only.
    pub(crate) init_image: String,
    /// At least 1.
    pub(crate) parallelism: u32,
    /// Retries of each index; None leaves it to the template, or to no retry.
    pub(crate) retries: Option<u32>,
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
    /// A Job manifest to lay the rest over.
    pub(crate) base: Option<Value>,
}

/// What `resolve` needs from the world, read by the caller.
#[derive(Clone, Debug)]
pub(crate) struct Inputs {
    /// The manifest that `--template` names: where it came from and its bytes.
    pub(crate) template: Option<(String, Vec<u8>)>,
    /// What makes a generated name unique: five lower-case letters or digits.
    pub(crate) suffix: String,
    /// The namespace, if the user named one.
    pub(crate) namespace: Option<String>,
}

/// From the words of the command line to a Job that can be built.
///
/// # Errors
/// A usage error for whatever can't make a Job: it says what, why, and what to type instead.
pub(crate) fn resolve(args: RunArgs, inputs: Inputs) -> Result<JobSpec, Error> {
    let RunArgs {
        positional_name,
        command,
        items,
        completions,
        item_as,
        index_file,
        item_store,
        init_image,
        name,
        parallelism,
        retries,
        labels,
        annotations,
        queue,
        template: _,
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
        // How the run is shown is the command's business.
        detach: _,
        prefix: _,
        quiet: _,
        dry_run: _,
        output: _,
        field_manager: _,
    } = args;

    let base = inputs.template.map(|(origin, bytes)| base::parse(&origin, &bytes)).transpose()?;
    check_command(&command, positional_name.as_deref(), base.as_ref())?;
    let (items, completions) = read_items(items.as_deref(), completions)?;
    let item_form = choose_form(item_as, &items)?;
    let item_store = choose_store(item_store, item_form, &items)?;
    if let Some(path) = &index_file {
        check_index_file(path, item_form)?;
    }
    if let Some(init_image) = &init_image
        && item_store != ItemStore::Inline
    {
        return Err(Error::usage(format!(
            "--init-image {init_image} has no use: only --item-store=inline has an init container"
        ))
        .hint("leave --init-image out, or add --item-store=inline"));
    }
    let parallelism = choose_parallelism(parallelism, base.as_ref(), completions)?;
    if retries.is_some() && base.as_ref().is_some_and(|base| base::restart_policy(base) == Some("OnFailure")) {
        return Err(Error::usage(
            "--retries counts for each index, which needs restartPolicy Never; the template says OnFailure",
        )
        .hint("take restartPolicy out of the template, or leave --retries out"));
    }
    let app = app_name(&command, base.as_ref());
    let name = match name.or(positional_name) {
        Some(name) => name::check(&name, completions)?,
        None => name::generate(&app, &inputs.suffix, completions),
    };

    Ok(JobSpec {
        name,
        app,
        namespace: inputs.namespace,
        completions,
        items,
        index_file,
        item_form,
        item_store,
        command,
        image: image.or_else(|| {
            let stands = base.as_ref().is_some_and(|base| base::worker(base).and_then(|w| w.get("image")).is_some());
            (!stands).then(|| DEFAULT_IMAGE.to_owned())
        }),
        init_image: init_image.unwrap_or_else(|| DEFAULT_IMAGE.to_owned()),
        parallelism,
        retries,
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
        base,
    })
}

fn check_command(command: &[String], name: Option<&str>, base: Option<&Value>) -> Result<(), Error> {
    if !command.is_empty() {
        return Ok(());
    }
    match base {
        // An image may well have an entry point of its own: a template that names no command says so on purpose.
        Some(base) if base::worker(base).is_some() => Ok(()),
        _ => {
            let error = Error::usage("there is no command to run for each item")
                .hint("put it last, after two dashes: kubectl indexed run --items foo,bar,baz -- rev");
            Err(match name {
                Some(name) => error.hint(format!("{name:?} stands before them, and was read as the name of the Job")),
                None => error,
            })
        }
    }
}

/// The items and how many indexes there are for them; no items where only a number is given.
fn read_items(list: Option<&std::ffi::OsStr>, completions: Option<u32>) -> Result<(Items, u32), Error> {
    let items = match (list, completions) {
        (Some(list), _) => items::from_list(list.as_encoded_bytes())?,
        (None, Some(0)) => return Err(Error::usage("--completions 0 would never run anything").hint("give at least 1")),
        (None, Some(_)) => Items::new(),
        (None, None) => {
            return Err(Error::usage("there are no items to run the command for")
                .hint("name them: kubectl indexed run --items foo,bar,baz -- rev")
                .hint("or only number them: --completions 10"));
        }
    };
    let completions = completions.map_or(items.len(), |n| n as usize);
    match u32::try_from(completions) {
        Ok(fitting) if completions <= MAX_COMPLETIONS => Ok((items, fitting)),
        _ => Err(Error::usage(format!(
            "{completions} indexes are more than one Job can have: Kubernetes takes {MAX_COMPLETIONS} with per-index \
             limits"
        ))
        .hint(format!("split the work into runs of at most {MAX_COMPLETIONS}"))),
    }
}

fn choose_form(asked: Option<args::ItemAs>, items: &Items) -> Result<ItemForm, Error> {
    match asked {
        Some(args::ItemAs::File) if items.is_empty() => {
            Err(Error::usage("--item-as file has no use: there are no items, only --completions")
                .hint("leave --item-as out; the worker finds its index in the variable JOB_COMPLETION_INDEX"))
        }
        None if items.is_empty() => Ok(ItemForm::Index),
        Some(args::ItemAs::File) | None => Ok(ItemForm::File),
    }
}

fn check_index_file(path: &str, form: ItemForm) -> Result<(), Error> {
    let folder = path.rsplit_once('/').map(|(folder, name)| (folder, name.is_empty()));
    match folder {
        Some((folder, false)) if folder.starts_with('/') && folder.len() > 1 => {}
        _ => {
            return Err(Error::usage(format!("--index-file {path:?} is not the absolute path of a file in a folder"))
                .hint("write it as /index/data.txt"));
        }
    }
    if form == ItemForm::File && path.starts_with(contract::INPUT_DIR) {
        return Err(Error::usage(format!("--index-file {path} lies in {}, where the item is", contract::INPUT_DIR))
            .hint("choose another folder, as in /index/data.txt"));
    }
    Ok(())
}

fn choose_store(asked: args::ItemStore, form: ItemForm, items: &Items) -> Result<ItemStore, Error> {
    match asked {
        args::ItemStore::Inline if form == ItemForm::Index => {
            Err(Error::usage("--item-store inline has no use: no item is handed over, only the index")
                .hint("leave --item-store out"))
        }
        args::ItemStore::Inline => {
            items::check_inline(items)?;
            Ok(ItemStore::Inline)
        }
        args::ItemStore::Auto | args::ItemStore::Configmap => {
            items::check_config_map(items)?;
            Ok(ItemStore::ConfigMap)
        }
    }
}

fn choose_parallelism(asked: Option<u32>, base: Option<&Value>, completions: u32) -> Result<u32, Error> {
    match asked {
        Some(0) => Err(Error::usage("--parallelism 0 would never run anything").hint("give at least 1")),
        Some(n) if n > MAX_PARALLELISM => Err(Error::usage(format!(
            "--parallelism {n} is over Kubernetes' limit of {MAX_PARALLELISM} for an Indexed Job"
        ))
        .hint(format!("give at most {MAX_PARALLELISM}"))),
        Some(n) => Ok(n),
        None => {
            let stands = base.and_then(|base| base.pointer("/spec/parallelism")).and_then(Value::as_u64);
            let stands = stands.and_then(|n| u32::try_from(n).ok()).filter(|&n| n > 0);
            Ok(stands.unwrap_or_else(|| completions.min(DEFAULT_PARALLELISM)))
        }
    }
}

/// What to call the work: the command's own name, else that of the template, else "job".
fn app_name(command: &[String], base: Option<&Value>) -> String {
    let command = command.first().map(|program| program.rsplit(['/', '\\']).next().unwrap_or(program));
    let template = base.and_then(|base| base.pointer("/metadata/name")).and_then(Value::as_str);
    [template, command]
        .into_iter()
        .flatten()
        .map(name::clean)
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "job".to_owned())
}

#[cfg(test)]
pub(crate) mod tests;
