//! A folder of results: a file for each index, there whole or not at all, and `results.jsonl`, which lists them.
//!
//! Whatever ends the program, and when, a second call goes on: files are written in a folder of our own within, and
//! get their names once they are whole and on the disk; what was written is noted in a journal, whose last line may be
//! torn, and at the end in the list, which is replaced as a whole.
//!
//! Nothing is written outside the folder: every file is a new one that takes its place by a rename, which replaces a
//! link and does not follow it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::names;
use crate::args::{NameBy, ResultFrom};
use crate::error::{Error, Kind};
use crate::state::IndexStatus;
use crate::state::row::IndexRow;
use crate::view::json::API_VERSION;
use crate::view::results::ResultEntry;
use crate::view::summary::ItemTexts;

/// The list of what the folder holds, a line for each index in order.
const LIST: &str = "results.jsonl";
/// Our own folder within, and what is in it besides unfinished files.
const OWN: &str = ".kubectl-indexed";
const MARK: &str = "job.json";
const LOCK: &str = "lock";
const JOURNAL: &str = "journal.jsonl";
/// What ends the names of unfinished files.
const UNFINISHED: &str = ".part";

/// Whose results a folder holds, and which.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Mark {
    api_version: String,
    job: String,
    namespace: String,
    uid: String,
    name_by: String,
    from: String,
    container: Option<String>,
}

pub(crate) struct Wanted<'a> {
    pub(crate) job: &'a Job,
    /// As it is, if nothing is said.
    pub(crate) name_by: Option<NameBy>,
    pub(crate) from: ResultFrom,
    /// The container, where it is not the Job's own choice.
    pub(crate) container: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    pub(crate) fn logs_of(job: &'a Job) -> Self {
        Self { job, name_by: None, from: ResultFrom::Log, container: None }
    }
}

/// A file that the folder holds.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) row: IndexRow,
    pub(crate) path: PathBuf,
    /// Its name within the folder.
    pub(crate) file: String,
    pub(crate) bytes: u64,
    line: String,
}

#[derive(Deserialize)]
struct Line {
    #[serde(flatten)]
    row: IndexRow,
    file: String,
    bytes: u64,
}

/// The folder, held by this process alone.
pub(crate) struct Folder {
    path: PathBuf,
    /// Whether files are named by item, so that all items must be known.
    pub(crate) by_item: bool,
    /// By index, where files are named by item.
    names: BTreeMap<u32, String>,
    held: Mutex<Held>,
    /// Let go by the system, however the process ends.
    _lock: File,
}

struct Held {
    kept: BTreeMap<u32, Kept>,
    journal: File,
}

impl Folder {
    /// Makes a folder for the results of a new Job; an error if it holds anything.
    pub(crate) fn check_empty(path: &Path) -> Result<()> {
        if make(path)? != (false, false) {
            return Err(Error::usage(format!("the folder {} is not empty", path.display()))
                .hint("name a new folder for the results of a new Job")
                .into());
        }
        Ok(())
    }

    pub(crate) fn is_of(path: &Path, job: &Job) -> bool {
        Mark::read(path).is_some_and(|mark| Some(mark.uid) == job.metadata.uid)
    }

    /// Makes the folder, or takes up one that holds results of the same Job.
    pub(crate) fn open(path: &Path, wanted: &Wanted<'_>) -> Result<Self> {
        let doing = || format!("opening the folder {}", path.display());
        let own = path.join(OWN);
        if make(path)? == (false, true) {
            return Err(Error::usage(format!("the folder {} holds other files than results", path.display()))
                .hint("name a new or an empty folder")
                .into());
        }
        fs::create_dir_all(&own).with_context(doing)?;
        let lock = OpenOptions::new().create(true).append(true).open(own.join(LOCK)).with_context(doing)?;
        // Where there are no locks, nothing is lost but the warning.
        if matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
            let message = format!("another command is writing results to the folder {}", path.display());
            return Err(Error::new(Kind::Failed, message).hint("wait for its end, or name another folder").into());
        }
        let mark = Mark::settle(path, wanted).with_context(doing)??;
        for entry in fs::read_dir(&own).with_context(doing)?.flatten() {
            if entry.file_name().to_string_lossy().ends_with(UNFINISHED) {
                fs::remove_file(entry.path()).with_context(doing)?;
            }
        }
        let mut kept = BTreeMap::new();
        for list in [path.join(LIST), own.join(JOURNAL)] {
            kept.extend(read(&list, path).with_context(doing)?);
        }
        // A new one: the last line of the old one may have been cut off, and it may have other names.
        let journal = replace(&own.join(JOURNAL), &own, lines(&kept).as_bytes()).with_context(doing)?;
        let held = Mutex::new(Held { kept, journal });
        let by_item = mark.name_by == word(&NameBy::Item);
        Ok(Self { path: path.to_owned(), by_item, names: BTreeMap::new(), held, _lock: lock })
    }

    pub(crate) fn name_by(&mut self, items: &ItemTexts) {
        self.names = names::by_item(items);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the folder holds of an index, if it is of the same attempt. Of an index whose Pod is gone it is all that
    /// can still be had.
    pub(crate) fn kept(&self, row: &IndexRow) -> Option<Kept> {
        let kept = self.held().kept.get(&row.index)?.clone();
        let same = row.pod.is_none() || row.pod == kept.row.pod;
        let there = fs::symlink_metadata(&kept.path).is_ok_and(|file| file.is_file() && file.len() == kept.bytes);
        (same && there && row.status == kept.row.status).then_some(kept)
    }

    /// Where the output of an index belongs.
    pub(crate) fn place_of(&self, index: u32) -> PathBuf {
        self.path.join(self.name_of(index))
    }

    fn name_of(&self, index: u32) -> String {
        self.names.get(&index).cloned().unwrap_or_else(|| names::by_index(index))
    }

    /// Begins the file of an output, which is gone again unless it is kept.
    pub(crate) fn begin(&self) -> io::Result<NamedTempFile> {
        unfinished(&self.path.join(OWN))
    }

    /// Gives a file that is whole its name, and notes it.
    pub(crate) fn keep(
        &self,
        part: NamedTempFile,
        row: &IndexRow,
        item: Option<&String>,
        now: Timestamp,
    ) -> Result<Kept> {
        let (name, path) = (self.name_of(row.index), self.place_of(row.index));
        let doing = || format!("writing {}", path.display());
        part.as_file().sync_all().with_context(doing)?;
        let bytes = part.as_file().metadata().with_context(doing)?.len();
        part.persist(&path).map_err(io::Error::from).with_context(doing)?;
        let line = serde_json::to_string(&ResultEntry::new(row, item, Some((&name, bytes)), None, now))?;
        let kept = Kept { row: row.clone(), path, file: name, bytes, line };
        let mut held = self.held();
        held.journal
            .write_all(format!("{}\n", kept.line).as_bytes())
            .with_context(|| format!("noting {}", kept.path.display()))?;
        held.kept.insert(row.index, kept.clone());
        Ok(kept)
    }

    /// Writes the list, which then says all that the journal said.
    pub(crate) fn finish(&self) -> Result<()> {
        let held = self.held();
        let doing = || format!("writing the list in {}", self.path.display());
        replace(&self.path.join(LIST), &self.path.join(OWN), lines(&held.kept).as_bytes()).with_context(doing)?;
        held.journal.set_len(0).with_context(doing)?;
        Ok(())
    }
}

impl Mark {
    fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path.join(OWN).join(MARK)).ok()?).ok()
    }

    /// The mark of a folder, which is now marked.
    fn settle(path: &Path, wanted: &Wanted<'_>) -> io::Result<Result<Self, Error>> {
        let metadata = &wanted.job.metadata;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let own = path.join(OWN);
        let new = Self {
            api_version: API_VERSION.to_owned(),
            job: text(&metadata.name),
            namespace: text(&metadata.namespace),
            uid: text(&metadata.uid),
            name_by: word(&wanted.name_by.unwrap_or(NameBy::Index)),
            from: word(&wanted.from),
            container: wanted.container.map(str::to_owned),
        };
        let Some(old) = Self::read(path) else {
            replace(&own.join(MARK), &own, serde_json::to_string(&new)?.as_bytes())?;
            return Ok(Ok(new));
        };
        let other = |what: String, hint: &str| {
            Err(Error::usage(format!("the folder {} holds {what}", path.display())).hint(hint))
        };
        Ok(if old.uid != new.uid {
            let again = if (&old.job, &old.namespace) == (&new.job, &new.namespace) {
                ", which was deleted since; there is a new one of this name"
            } else {
                ""
            };
            let what = format!("results of job {:?} in namespace {:?}{again}", old.job, old.namespace);
            other(what, "name a folder of its own for each Job")
        } else if wanted.name_by.is_some() && old.name_by != new.name_by {
            other(format!("files that are named by {}", old.name_by), "leave out --name-by, or name another folder")
        } else if (&old.from, &old.container) != (&new.from, &new.container) {
            let container = old.container.map_or_else(String::new, |name| format!(" of container {name:?}"));
            other(
                format!("results from another place, the {}{container}", old.from),
                "give the same --from and --container again, or name another folder",
            )
        } else {
            Ok(old)
        })
    }
}

/// What the user types for it.
fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// The lines of a list, as far as they are whole and name a file of the folder.
fn read(list: &Path, folder: &Path) -> io::Result<Vec<(u32, Kept)>> {
    let text = match fs::read(list) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let kept = |text: &str| {
        let Line { row, file, bytes } = serde_json::from_str(text).ok()?;
        let row = IndexRow { job: None, ..row };
        let ended = matches!(row.status, IndexStatus::Succeeded | IndexStatus::Failed);
        let kept = Kept { row, path: folder.join(&file), file, bytes, line: text.to_owned() };
        (ended && names::is_safe(&kept.file)).then_some((kept.row.index, kept))
    };
    Ok(text.lines().filter_map(kept).collect())
}

fn lines(kept: &BTreeMap<u32, Kept>) -> String {
    kept.values().flat_map(|kept| [&kept.line, "\n"]).collect()
}

/// Makes a folder, and returns whether it is marked, and whether it holds more than a folder of our own: that is begun,
/// and nothing has come into it, where it has no mark.
fn make(path: &Path) -> Result<(bool, bool)> {
    let doing = || format!("opening the folder {}", path.display());
    fs::create_dir_all(path).with_context(doing)?;
    check_own(path)?;
    let mut entries = fs::read_dir(path).with_context(doing)?.flatten();
    Ok((path.join(OWN).join(MARK).exists(), entries.any(|entry| entry.file_name() != OWN)))
}

/// Checks that our own folder holds only what this program makes: a link there leads outside.
fn check_own(path: &Path) -> Result<(), Error> {
    let own = path.join(OWN);
    let is_foreign = |path: &PathBuf| {
        let kind = fs::symlink_metadata(path).map(|file| file.file_type());
        kind.is_ok_and(|kind| if *path == own { !kind.is_dir() } else { !kind.is_file() })
    };
    let all = [own.clone(), own.join(MARK), own.join(LOCK), own.join(JOURNAL), path.join(LIST)];
    all.iter().find(|path| is_foreign(path)).map_or(Ok(()), |path| {
        Err(Error::usage(format!("{} is a link or something else that is not of this program", path.display()))
            .hint("remove it, or name another folder"))
    })
}

/// A new file that is gone again unless it gets a name.
fn unfinished(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.suffix(UNFINISHED);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Puts a file in the place of another as a whole; `beside` is a folder of the same file system.
pub(crate) fn replace(path: &Path, beside: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut file = unfinished(beside)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    let file = file.persist(path)?;
    // The new name is on the disk, too; where a folder can't be opened, the system sees to that itself.
    if let Some(Ok(folder)) = path.parent().map(File::open) {
        let _ = folder.sync_all();
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tempfile::TempDir;

    use super::*;

    fn open(path: &Path) -> Result<Folder> {
        let job = json!({"metadata": {"name": "j", "namespace": "n", "uid": "u"}});
        let job = serde_json::from_value(job)?;
        Folder::open(path, &Wanted::logs_of(&job))
    }

    fn row(index: u32) -> IndexRow {
        IndexRow {
            index,
            status: IndexStatus::Succeeded,
            attempts: Some(1),
            exit_code: Some(0),
            reason: None,
            message: None,
            node: None,
            started: None,
            finished: None,
            pod: Some(format!("j-{index}-x")),
            job: None,
        }
    }

    fn keep(folder: &Folder, index: u32, text: &str) {
        let mut part = folder.begin().unwrap();
        part.write_all(text.as_bytes()).unwrap();
        folder.keep(part, &row(index), None, Timestamp::UNIX_EPOCH).unwrap();
    }

    #[test]
    fn what_was_written_before_the_end_is_known_again() {
        let home = TempDir::new().unwrap();
        let path = home.path().join("new/out");
        let folder = open(&path).unwrap();
        keep(&folder, 0, "zero");
        keep(&folder, 1, "one");
        drop(folder.begin().unwrap());
        fs::write(path.join(OWN).join("killed.part"), "tw").unwrap();
        let second = open(&path).err().unwrap().to_string();
        assert!(second.starts_with("another command is writing results to the folder "), "{second}");
        drop(folder);
        // The journal was cut off within a line, and one of the files is another one now.
        let journal = path.join(OWN).join(JOURNAL);
        let text = fs::read_to_string(&journal).unwrap();
        fs::write(&journal, format!("{text}{}", &text[..40])).unwrap();
        fs::write(path.join("1.out"), "somebody's").unwrap();

        let folder = open(&path).unwrap();
        let parts = fs::read_dir(path.join(OWN)).unwrap().flatten();
        assert!(!parts.into_iter().any(|entry| entry.file_name().to_string_lossy().ends_with(UNFINISHED)));
        let known = |index| folder.kept(&row(index)).map(|kept| kept.file);
        assert_eq!([0, 1, 2].map(known), [Some("0.out".to_owned()), None, None]);
        let other = IndexRow { pod: Some("j-0-y".to_owned()), ..row(0) };
        assert!(folder.kept(&other).is_none(), "it is of another attempt");
        let gone = IndexRow { pod: None, exit_code: None, ..row(0) };
        assert_eq!(folder.kept(&gone).unwrap().row, row(0));
        keep(&folder, 3, "three");
        folder.finish().unwrap();
        let list = fs::read_to_string(path.join(LIST)).unwrap();
        assert_eq!(list.lines().count(), 3, "{list}");
        assert_eq!(fs::read(journal).unwrap(), b"");
        drop(folder);
        assert_eq!(open(&path).unwrap().kept(&row(3)).unwrap().bytes, 5);
    }

    #[test]
    fn a_list_that_was_tampered_with_leads_nowhere() {
        let home = TempDir::new().unwrap();
        let path = home.path().join("out");
        drop(open(&path).unwrap());
        fs::write(home.path().join("x.out"), "secret").unwrap();
        let names = ["../x.out", "a/../../x.out", "..\\\\x.out"];
        let line =
            |name: &str| format!(r#"{{"index":0,"status":"Succeeded","pod":"j-0-x","file":"{name}","bytes":6}}"#);
        for name in names {
            fs::write(path.join(LIST), line(name)).unwrap();
            assert!(open(&path).unwrap().kept(&row(0)).is_none(), "{name}");
        }
        fs::rename(home.path().join("x.out"), path.join("x.out")).unwrap();
        fs::write(path.join(LIST), line("x.out")).unwrap();
        assert!(open(&path).unwrap().kept(&row(0)).is_some(), "else it would be of use");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_folder_is_replaced_or_refused() {
        use std::os::unix::fs::symlink;
        let home = TempDir::new().unwrap();
        let (path, secret) = (home.path().join("out"), home.path().join("secret"));
        fs::write(&secret, "secret").unwrap();
        drop(open(&path).unwrap());
        // A name of an output may be a link, also to nothing, and the journal may be somebody's file by another name.
        symlink(&secret, path.join("0.out")).unwrap();
        symlink(home.path().join("nothing"), path.join("1.out")).unwrap();
        fs::remove_file(path.join(OWN).join(JOURNAL)).unwrap();
        fs::hard_link(&secret, path.join(OWN).join(JOURNAL)).unwrap();
        let folder = open(&path).unwrap();
        keep(&folder, 0, "zero");
        keep(&folder, 1, "one");
        folder.finish().unwrap();
        drop(folder);
        assert_eq!([0, 1].map(|index| fs::read_to_string(path.join(format!("{index}.out"))).unwrap()), ["zero", "one"]);
        let refused = |place: PathBuf| {
            let _ = fs::remove_file(&place).or_else(|_| fs::remove_dir_all(&place));
            for target in [secret.clone(), home.path().join("nothing"), home.path().to_owned()] {
                symlink(target, &place).unwrap();
                let error = open(&path).err().unwrap().to_string();
                assert!(error.starts_with(&format!("{} is a link", place.display())), "{error}");
                assert!(Folder::check_empty(&path).is_err());
                fs::remove_file(&place).unwrap();
            }
            drop(open(&path).unwrap());
        };
        let own = path.join(OWN);
        [path.join(LIST), own.join(JOURNAL), own.join(LOCK)].into_iter().for_each(refused);
        fs::remove_file(path.join("0.out")).unwrap();
        fs::remove_file(path.join("1.out")).unwrap();
        refused(own);
        assert_eq!(fs::read_to_string(&secret).unwrap(), "secret");
        assert!(!home.path().join("nothing").exists());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_named_and_nothing_is_kept() {
        let home = TempDir::new().unwrap();
        let folder = open(&home.path().join("out")).unwrap();
        // As much as no disk has.
        let part = folder.begin().unwrap();
        let full = File::options().write(true).open("/dev/full").unwrap();
        let part = NamedTempFile::from_parts(full, part.into_temp_path());
        let error = folder.keep(part, &row(0), None, Timestamp::UNIX_EPOCH).err().unwrap();
        assert!(format!("{error:#}").starts_with(&format!("writing {}: ", folder.place_of(0).display())), "{error:#}");
        assert!(folder.kept(&row(0)).is_none());
    }
}
