//! Reads the inputs of `run`: the template, the file with the items, a list in the cluster.

use std::io::{self, BufReader, IsTerminal as _, Read};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::Result;

use super::Context;
use crate::args::{ItemArgs, RunArgs};
use crate::error::{Error, Hint, Kind, quoted};
use crate::manifest::read;
use crate::spec::intake::text;
use crate::spec::select::LoadedItems;
use crate::spec::sources::{self, ListedConfigMap};
use crate::spec::{self, Inputs};

/// How long stdin may be silent before the program says what it waits for.
const STDIN_PATIENCE: Duration = Duration::from_secs(1);
/// Bytes that are read from a file at once.
const CHUNK_BYTES: usize = 64 * 1024;

pub(crate) async fn read_inputs(args: &RunArgs, context: &Context) -> Result<Inputs> {
    let source = &args.source;
    sources::check(source, &args.command)?;
    let is_stdin = |path: &Option<std::path::PathBuf>| path.as_ref().is_some_and(|path| path.as_os_str() == "-");
    if is_stdin(&args.template) && is_stdin(&source.items_file) {
        return Err(Error::usage("--template - and --items-file - would both read stdin")
            .hint("put one of them into a file")
            .into());
    }
    let seed = fastrand::u64(..1_000_000);
    Ok(Inputs {
        template: args.template.as_deref().map(|path| read_template(path, context)).transpose()?,
        suffix: random_suffix(),
        namespace: context.global.namespace.clone(),
        file: source.items_file.as_deref().map(|path| read_items(source, path, seed, context)).transpose()?,
        listed: match &source.items_configmap {
            Some(named) => Some(read_config_map(named, context).await?),
            None => None,
        },
        seed,
        remaining: None,
    })
}

/// Opens a file, or stdin for `-`.
fn open_input(path: &Path) -> io::Result<Box<dyn Read>> {
    Ok(if path.as_os_str() == "-" { Box::new(io::stdin().lock()) } else { Box::new(std::fs::File::open(path)?) })
}

/// Returns the error about a file that can't be read.
fn unreadable_error(what: &str, path: &Path, error: io::Error) -> Error {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Error::usage(format!("{what} {} can't be read", path.display()))
        .caused_by(error)
        .hint(format!("ls -l {} lists the files", quoted(&folder.to_string_lossy())))
}

/// Prints after a second that stdin is still read, unless the returned sender is dropped before.
fn announce_stdin(path: &Path, what: &str, context: &Context) -> Option<Sender<()>> {
    let message = match path.as_os_str() == "-" {
        false => return None,
        true if io::stdin().is_terminal() => {
            format!("reading {what} from the terminal: Ctrl-D on a new line ends the input")
        }
        true => format!("reading {what} from stdin: waiting for the program that writes it to end"),
    };
    let (sender, receiver) = channel();
    let voice = context.ui.voice.clone();
    std::thread::spawn(move || {
        if receiver.recv_timeout(STDIN_PATIENCE) == Err(RecvTimeoutError::Timeout) {
            voice.status(&message);
        }
    });
    Some(sender)
}

fn read_template(path: &Path, context: &Context) -> Result<(String, Vec<u8>)> {
    let _announcement = announce_stdin(path, "the template", context);
    let origin = path.display().to_string();
    let mut bytes = Vec::new();
    let read = open_input(path).and_then(|mut file| file.read_to_end(&mut bytes));
    read.map_err(|error| unreadable_error("the template", path, error))?;
    let bytes = text::decode(&format!("the template {origin}"), bytes)?;
    Ok((origin, bytes))
}

/// Reads items, up to the first that can't be used.
fn read_items(args: &ItemArgs, path: &Path, seed: u64, context: &Context) -> Result<LoadedItems> {
    let _announcement = announce_stdin(path, "items, one per line,", context);
    let origin = path.display().to_string();
    let cannot = |error: io::Error| unreadable_error("the file of items", path, error);
    let file = BufReader::with_capacity(CHUNK_BYTES, open_input(path).map_err(cannot)?);
    Ok(sources::read_items_file(args, &origin, seed, file, cannot)?)
}

async fn read_config_map(named: &str, context: &Context) -> Result<ListedConfigMap> {
    let (name, _) = sources::split_config_map(named);
    let cluster = context.cluster().await?;
    let Some(config_map) = cluster.config_map(name).await? else {
        let message = format!("there is no configmap {name:?} in namespace {:?}", cluster.namespace());
        return Err(Error::new(Kind::NotFound, message)
            .hint(Hint::kubectl(&["get", "configmaps"], "lists them").and("-n NAMESPACE selects another namespace"))
            .into());
    };
    Ok(read::config_map_entries(config_map).collect())
}

/// Returns five random letters or digits, without those that look alike, to make a name unique.
fn random_suffix() -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    std::iter::repeat_with(|| char::from(ALPHABET[fastrand::usize(..ALPHABET.len())]))
        .take(spec::SUFFIX_LENGTH)
        .collect()
}
