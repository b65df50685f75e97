//! A folder of results: a complete file for each index, and `results.jsonl`, which lists them.
//!
//! However the program ends, the next call continues. Files are written in a subfolder of our own, and get their names
//! once they are complete and on the disk. A journal lists each file; its last line may be incomplete. At the end the list
//! is replaced as a whole.
//!
//! Nothing is written outside the folder: every file is new and gets its name by a rename, which replaces a link and does
//! not follow it.

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
use crate::state::row::IndexRow;
use crate::state::{IndexStatus, ItemTexts};
use crate::view::json::API_VERSION;
use crate::view::results::ResultEntry;

/// The list of the files, a line for each index in order.
const LIST: &str = "results.jsonl";
/// The subfolder of this program, with unfinished files and the next three.
const OWN: &str = ".kubectl-indexed";
const MARK: &str = "job.json";
const LOCK: &str = "lock";
const JOURNAL: &str = "journal.jsonl";
/// The extension of unfinished files.
const UNFINISHED: &str = ".part";

/// Which results a folder has: stored in it as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct FolderMark {
    api_version: String,
    job: String,
    namespace: String,
    uid: String,
    name_by: String,
    from: String,
    container: Option<String>,
}

/// Which results a folder is to have.
pub(crate) struct FolderContents<'a> {
    pub(crate) job: &'a Job,
    /// `None` keeps the folder's current naming.
    pub(crate) name_by: Option<NameBy>,
    pub(crate) from: ResultFrom,
    /// `None` is the default container of the Job.
    pub(crate) container: Option<&'a str>,
}

impl<'a> FolderContents<'a> {
    pub(crate) fn logs_of(job: &'a Job) -> Self {
        Self { job, name_by: None, from: ResultFrom::Log, container: None }
    }
}

/// An output file in the folder.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) row: IndexRow,
    pub(crate) path: PathBuf,
    /// The name within the folder.
    pub(crate) file: String,
    pub(crate) bytes: u64,
    /// The line of the list.
    line: String,
}

#[derive(Deserialize)]
struct ListLine {
    #[serde(flatten)]
    row: IndexRow,
    file: String,
    bytes: u64,
}

/// A folder that this process has locked.
pub(crate) struct Folder {
    path: PathBuf,
    /// Whether files are named by item. Then all items must be known.
    pub(crate) by_item: bool,
    /// By index; empty where files are named by index.
    names: BTreeMap<u32, String>,
    files: Mutex<FolderFiles>,
    /// The system releases it when the process ends.
    _lock: File,
}

struct FolderFiles {
    kept: BTreeMap<u32, Kept>,
    journal: File,
}

impl Folder {
    /// Makes a folder for the results of a new Job.
    ///
    /// # Errors
    /// If it is not empty.
    pub(crate) fn check_empty(path: &Path) -> Result<()> {
        if make_folder(path)? != (false, false) {
            return Err(Error::usage(format!("the folder {} is not empty", path.display()))
                .hint("name a new folder for the results of a new Job")
                .into());
        }
        Ok(())
    }

    pub(crate) fn is_of(path: &Path, job: &Job) -> bool {
        FolderMark::read(path).is_some_and(|mark| Some(mark.uid) == job.metadata.uid)
    }

    /// Makes the folder, or opens one that has results of the same Job.
    pub(crate) fn open(path: &Path, contents: &FolderContents<'_>) -> Result<Self> {
        let doing = || format!("opening the folder {}", path.display());
        let own = path.join(OWN);
        if make_folder(path)? == (false, true) {
            return Err(Error::usage(format!("the folder {} has files that are not results", path.display()))
                .hint("name a new or an empty folder")
                .into());
        }
        fs::create_dir_all(&own).with_context(doing)?;
        let lock = OpenOptions::new().create(true).append(true).open(own.join(LOCK)).with_context(doing)?;
        // Some file systems have no locks: then only this check is missing.
        if matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
            let message = format!("another command is writing results to the folder {}", path.display());
            return Err(Error::new(Kind::Failed, message).hint("wait until it ends, or name another folder").into());
        }
        let mark = FolderMark::settle(path, contents).with_context(doing)??;
        for entry in fs::read_dir(&own).with_context(doing)?.flatten() {
            if entry.file_name().to_string_lossy().ends_with(UNFINISHED) {
                fs::remove_file(entry.path()).with_context(doing)?;
            }
        }
        let mut kept = BTreeMap::new();
        for list in [path.join(LIST), own.join(JOURNAL)] {
            kept.extend(read_list(&list, path).with_context(doing)?);
        }
        // The old journal may have an incomplete last line, and other names by links.
        let journal = replace_file(&own.join(JOURNAL), &own, lines(&kept).as_bytes()).with_context(doing)?;
        let files = Mutex::new(FolderFiles { kept, journal });
        let by_item = mark.name_by == value_name(&NameBy::Item);
        Ok(Self { path: path.to_owned(), by_item, names: BTreeMap::new(), files, _lock: lock })
    }

    pub(crate) fn name_by(&mut self, items: &ItemTexts) {
        self.names = names::by_item(items);
    }

    fn files(&self) -> MutexGuard<'_, FolderFiles> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the file of an index, if it is from the same attempt, or if the Pod is gone.
    pub(crate) fn kept(&self, row: &IndexRow) -> Option<Kept> {
        let kept = self.files().kept.get(&row.index)?.clone();
        let same = row.pod.is_none() || row.pod == kept.row.pod;
        let there = fs::symlink_metadata(&kept.path).is_ok_and(|file| file.is_file() && file.len() == kept.bytes);
        (same && there && row.status == kept.row.status).then_some(kept)
    }

    /// Returns the path for the output of an index.
    pub(crate) fn path_of(&self, index: u32) -> PathBuf {
        self.path.join(self.name_of(index))
    }

    fn name_of(&self, index: u32) -> String {
        self.names.get(&index).cloned().unwrap_or_else(|| names::by_index(index))
    }

    /// Creates a file for an output. It is deleted unless [`Self::keep`] gets it.
    pub(crate) fn create_part(&self) -> io::Result<NamedTempFile> {
        create_unfinished(&self.path.join(OWN))
    }

    /// Gives a complete file its name, and adds it to the journal.
    pub(crate) fn keep(&self, part: NamedTempFile, row: &IndexRow, items: &ItemTexts, now: Timestamp) -> Result<Kept> {
        let (name, path) = (self.name_of(row.index), self.path_of(row.index));
        let doing = || format!("writing {}", path.display());
        part.as_file().sync_all().with_context(doing)?;
        let bytes = part.as_file().metadata().with_context(doing)?.len();
        part.persist(&path).map_err(io::Error::from).with_context(doing)?;
        let line = serde_json::to_string(&ResultEntry::new(row, items, Some((&name, bytes)), None, now))?;
        let kept = Kept { row: row.clone(), path, file: name, bytes, line };
        let mut files = self.files();
        files
            .journal
            .write_all(format!("{}\n", kept.line).as_bytes())
            .with_context(|| format!("writing the journal for {}", kept.path.display()))?;
        files.kept.insert(row.index, kept.clone());
        Ok(kept)
    }

    /// Writes the list and empties the journal.
    pub(crate) fn finish(&self) -> Result<()> {
        let files = self.files();
        let doing = || format!("writing the list in {}", self.path.display());
        replace_file(&self.path.join(LIST), &self.path.join(OWN), lines(&files.kept).as_bytes()).with_context(doing)?;
        files.journal.set_len(0).with_context(doing)?;
        Ok(())
    }
}

impl FolderMark {
    fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path.join(OWN).join(MARK)).ok()?).ok()
    }

    /// Reads the mark of a folder, or writes a new one.
    ///
    /// # Errors
    /// The inner one if the folder has other results.
    fn settle(path: &Path, contents: &FolderContents<'_>) -> io::Result<Result<Self, Error>> {
        let metadata = &contents.job.metadata;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let own = path.join(OWN);
        let new = Self {
            api_version: API_VERSION.to_owned(),
            job: text(&metadata.name),
            namespace: text(&metadata.namespace),
            uid: text(&metadata.uid),
            name_by: value_name(&contents.name_by.unwrap_or(NameBy::Index)),
            from: value_name(&contents.from),
            container: contents.container.map(str::to_owned),
        };
        let Some(old) = Self::read(path) else {
            replace_file(&own.join(MARK), &own, serde_json::to_string(&new)?.as_bytes())?;
            return Ok(Ok(new));
        };
        let other = |what: String, hint: &str| {
            Err(Error::usage(format!("the folder {} has {what}", path.display())).hint(hint))
        };
        Ok(if old.uid != new.uid {
            let again = if (&old.job, &old.namespace) == (&new.job, &new.namespace) {
                ", which was deleted; a new job has its name"
            } else {
                ""
            };
            let what = format!("results of job {:?} in namespace {:?}{again}", old.job, old.namespace);
            other(what, "name another folder for this job")
        } else if contents.name_by.is_some() && old.name_by != new.name_by {
            other(format!("files named by {}", old.name_by), "omit --name-by, or name another folder")
        } else if (&old.from, &old.container) != (&new.from, &new.container) {
            let container = old.container.map_or_else(String::new, |name| format!(" of container {name:?}"));
            other(
                format!("results from the {}{container}", old.from),
                "give the same --from and --container, or name another folder",
            )
        } else {
            Ok(old)
        })
    }
}

/// Returns the value as it is typed on the command line.
fn value_name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Reads a list. Ignores lines that are incomplete or name a file outside the folder.
fn read_list(list: &Path, folder: &Path) -> io::Result<Vec<(u32, Kept)>> {
    let text = match fs::read(list) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let kept = |text: &str| {
        let ListLine { row, file, bytes } = serde_json::from_str(text).ok()?;
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

/// Makes a folder. Returns whether it has a mark, and whether it has entries other than our own subfolder.
fn make_folder(path: &Path) -> Result<(bool, bool)> {
    let doing = || format!("opening the folder {}", path.display());
    fs::create_dir_all(path).with_context(doing)?;
    check_own(path)?;
    let mut entries = fs::read_dir(path).with_context(doing)?.flatten();
    Ok((path.join(OWN).join(MARK).exists(), entries.any(|entry| entry.file_name() != OWN)))
}

/// Checks that our own subfolder and its files are no links: they would lead outside.
fn check_own(path: &Path) -> Result<(), Error> {
    let own = path.join(OWN);
    let is_foreign = |path: &PathBuf| {
        let kind = fs::symlink_metadata(path).map(|file| file.file_type());
        kind.is_ok_and(|kind| if *path == own { !kind.is_dir() } else { !kind.is_file() })
    };
    let all = [own.clone(), own.join(MARK), own.join(LOCK), own.join(JOURNAL), path.join(LIST)];
    all.iter().find(|path| is_foreign(path)).map_or(Ok(()), |path| {
        Err(Error::usage(format!("{} is a link or was not made by this program", path.display()))
            .hint("remove it, or name another folder"))
    })
}

/// Creates a file that is deleted unless it gets a name.
fn create_unfinished(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.suffix(UNFINISHED);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Replaces a file as a whole; `beside` is a folder on the same file system.
pub(crate) fn replace_file(path: &Path, beside: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut file = create_unfinished(beside)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    let file = file.persist(path)?;
    // Puts the new name on the disk, too. Systems where a folder can't be opened do so themselves.
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
        Folder::open(path, &FolderContents::logs_of(&job))
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
        let mut part = folder.create_part().unwrap();
        part.write_all(text.as_bytes()).unwrap();
        folder.keep(part, &row(index), &ItemTexts::new(), Timestamp::UNIX_EPOCH).unwrap();
    }

    #[test]
    fn a_folder_continues_after_a_crash() {
        let home = TempDir::new().unwrap();
        let path = home.path().join("new/out");
        let folder = open(&path).unwrap();
        keep(&folder, 0, "zero");
        keep(&folder, 1, "one");
        drop(folder.create_part().unwrap());
        fs::write(path.join(OWN).join("killed.part"), "tw").unwrap();
        let second = open(&path).err().unwrap().to_string();
        assert!(second.starts_with("another command is writing results to the folder "), "{second}");
        drop(folder);
        // The journal ends within a line, and one of the files was replaced.
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
        assert!(folder.kept(&other).is_none(), "it is from another attempt");
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
    fn names_outside_the_folder_are_ignored() {
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
        assert!(open(&path).unwrap().kept(&row(0)).is_some(), "the same line with a safe name is read");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_folder_is_replaced_or_refused() {
        use std::os::unix::fs::symlink;
        let home = TempDir::new().unwrap();
        let (path, secret) = (home.path().join("out"), home.path().join("secret"));
        fs::write(&secret, "secret").unwrap();
        drop(open(&path).unwrap());
        // An output may be a link, also to nothing, and the journal may be a hard link.
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
    fn a_full_disk_is_an_error_and_nothing_is_kept() {
        let home = TempDir::new().unwrap();
        let folder = open(&home.path().join("out")).unwrap();
        let part = folder.create_part().unwrap();
        let full = File::options().write(true).open("/dev/full").unwrap();
        let part = NamedTempFile::from_parts(full, part.into_temp_path());
        let error = folder.keep(part, &row(0), &ItemTexts::new(), Timestamp::UNIX_EPOCH).err().unwrap();
        assert!(format!("{error:#}").starts_with(&format!("writing {}: ", folder.path_of(0).display())), "{error:#}");
        assert!(folder.kept(&row(0)).is_none());
    }
}
