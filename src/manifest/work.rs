//! What a worker does with its item, to be compared between Jobs: command, form of the item, image.
//!
//! The command is that which the user wrote, its placeholders as they stand: whether a shell or the kubelet fills them
//! depends on the server and on the other items of the list, and changes nothing for this one. Where a Job has no note
//! of it, because others made it or its command is that of a template, the words of the worker's container are compared
//! as they stand. All else of the Pod may differ, as variables, resources or volumes.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Container;

use super::payload;
use crate::contract::{self, WORKER, annotation};
use crate::spec::{JobSpec, base};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    /// The command as the user wrote it.
    written: Option<Vec<String>>,
    /// The words of the container, and whether they begin with the program: without, they are arguments of the image's
    /// own.
    words: (bool, Vec<String>),
    /// How the item reaches the worker; None for a Job that others made.
    form: Option<String>,
    image: String,
}

impl Work {
    pub(crate) fn of_spec(spec: &JobSpec) -> Self {
        let worker = spec.base.as_ref().and_then(base::worker);
        let words = match payload::command(&spec.feed(), spec.base.as_ref()) {
            Some(words) => (true, words),
            None => words(base::words(worker, "command"), base::words(worker, "args")),
        };
        let image = spec.image.as_deref().or_else(|| worker?.get("image")?.as_str());
        Self {
            written: (!spec.command.is_empty()).then(|| spec.command.clone()),
            words,
            form: Some(spec.handover.form.name()),
            image: image.unwrap_or_default().to_owned(),
        }
    }

    pub(crate) fn of_job(job: &Job) -> Self {
        let form = contract::annotation_value(job, annotation::ITEM_AS).map(str::to_owned);
        let containers = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()).map(|pod| &pod.containers);
        let own = containers.and_then(|containers| containers.iter().find(|container| container.name == WORKER));
        // A template may annotate its Pods with another container, whose log is meant.
        let worker = own.filter(|_| form.is_some()).or_else(|| contract::worker(job)).cloned().unwrap_or_default();
        let Container { command, args, image, .. } = worker;
        Self {
            written: contract::annotation_value(job, annotation::COMMAND)
                .and_then(|note| serde_json::from_str(note).ok()),
            words: words(command.unwrap_or_default(), args.unwrap_or_default()),
            form,
            image: image.unwrap_or_default(),
        }
    }

    /// What of `other` is not as here, in words; None if nothing is.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        if !self.has_command_of(other) {
            let words = other.written.as_ref().unwrap_or(&other.words.1);
            let command = shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default();
            return Some(format!("another command: {command}"));
        }
        match (&self.form, &other.form) {
            (Some(here), Some(there)) if here != there => Some(format!("its items as {there}, not as {here}")),
            _ if self.image != other.image => Some(format!("another image: {}", other.image)),
            _ => None,
        }
    }

    fn has_command_of(&self, other: &Self) -> bool {
        match (&self.written, &other.written) {
            (Some(here), Some(there)) if self.form.is_some() && other.form.is_some() => here == there,
            // A retry with a corrected command of a Job that others made: what was written is what runs.
            (_, Some(there)) if other.form.is_none() => self.words == (true, there.clone()),
            _ => self.words == other.words,
        }
    }
}

fn words(command: Vec<String>, args: Vec<String>) -> (bool, Vec<String>) {
    (!command.is_empty(), [command, args].concat())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;
    use crate::spec::tests::resolve_line;

    fn wanted(line: &str) -> Work {
        let words: Vec<_> = line.split_whitespace().collect();
        Work::of_spec(&resolve_line(&words, None).unwrap())
    }

    fn made_by(line: &str) -> Work {
        let words: Vec<_> = line.split_whitespace().collect();
        let manifest = crate::manifest::build(&resolve_line(&words, None).unwrap()).unwrap();
        Work::of_job(&from_value(manifest.job).unwrap())
    }

    fn foreign(worker: &Value) -> Work {
        let job = json!({"metadata": {"name": "x"}, "spec": {"template": {"spec": {"containers": [worker]}}}});
        Work::of_job(&from_value(job).unwrap())
    }

    #[test]
    fn a_job_has_the_work_of_its_own_command() {
        for line in [
            "run --items a -- rev",
            "run --items a -- echo {}",
            "run --items a --shell -- echo {.}",
            "run --items a --item-as stdin --image x:1 -- rev",
        ] {
            assert_eq!(made_by(line), wanted(line), "{line}");
            assert_eq!(wanted(line).difference(&made_by(line)), None, "{line}");
        }
        // By which means a placeholder is filled does not count.
        assert_eq!(wanted("run --items a -- echo {}").difference(&made_by("run --items a --shell -- echo {}")), None);
    }

    #[test]
    fn command_form_and_image_count() {
        let here = wanted("run --items a --image x:1 -- rev");
        let told = |line| here.difference(&made_by(line)).unwrap_or_default();
        insta::assert_snapshot!(told("run --items a --image x:1 -- rev -x"), @"another command: rev -x");
        insta::assert_snapshot!(told("run --items a --image x:1 --item-as env -- rev"), @"its items as env, not as file");
        insta::assert_snapshot!(told("run --items a --image x:2 -- rev"), @"another image: x:2");
        assert_eq!(told("run --items b,c --image x:1 --cpu 2 -e A=b -- rev"), "");
    }

    #[test]
    fn of_a_job_of_others_the_words_of_the_container_are_compared() {
        let here = wanted("run --items a --image x:1 -- rev");
        let told = |worker: Value| here.difference(&foreign(&worker)).unwrap_or_default();
        let words = json!(["rev", "/input/data.txt"]);
        assert_eq!(told(json!({"name": "w", "image": "x:1", "command": words})), "");
        assert_eq!(told(json!({"name": "w", "image": "x:1", "command": ["rev"], "args": ["/input/data.txt"]})), "");
        // Arguments alone are those of a program that only the image knows.
        insta::assert_snapshot!(told(json!({"name": "w", "image": "x:1", "args": words})), @"another command: rev /input/data.txt");
        insta::assert_snapshot!(told(json!({"name": "w", "image": "x:1", "command": ["tac"]})), @"another command: tac");
        insta::assert_snapshot!(told(json!({"name": "w", "image": "y", "command": words})), @"another image: y");
    }
}
