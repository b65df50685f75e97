//! Compares the work of Jobs: command, item form and image. Other fields of the Pods may differ.
//!
//! The command is compared as the user wrote it, with placeholders: how they are filled depends on the server and on
//! the other items, and makes no difference to one item. Without an annotation with the command, as in Jobs of other
//! tools and in commands of a template, the words of the worker's container are compared.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Container;

use super::payload;
use crate::contract::{self, WORKER, annotation};
use crate::spec::{JobSpec, base};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    /// The command as the user wrote it.
    written: Option<Vec<String>>,
    /// The words of the container, and whether they begin with a program. If not, they are arguments of the image's
    /// entry point.
    words: (bool, Vec<String>),
    /// The item form; `None` for a Job of another tool.
    form: Option<String>,
    image: String,
}

impl Work {
    pub(crate) fn of_spec(spec: &JobSpec) -> Self {
        let worker = spec.base.as_ref().and_then(base::worker);
        let words = match payload::worker_command(&spec.feed(), spec.base.as_ref()) {
            Some(words) => (true, words),
            None => join_words(base::string_list(worker, "command"), base::string_list(worker, "args")),
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
        // A template's default-container annotation may name another container, for its log.
        let worker = own.filter(|_| form.is_some()).or_else(|| contract::worker(job)).cloned().unwrap_or_default();
        let Container { command, args, image, .. } = worker;
        Self {
            written: contract::annotation_value(job, annotation::COMMAND)
                .and_then(|note| serde_json::from_str(note).ok()),
            words: join_words(command.unwrap_or_default(), args.unwrap_or_default()),
            form,
            image: image.unwrap_or_default(),
        }
    }

    /// Describes the first difference of `other`; `None` if the work is the same.
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
            // The retry of another tool's Job by a corrected command runs the command as written.
            (_, Some(there)) if other.form.is_none() => self.words == (true, there.clone()),
            _ => self.words == other.words,
        }
    }
}

fn join_words(command: Vec<String>, args: Vec<String>) -> (bool, Vec<String>) {
    (!command.is_empty(), [command, args].concat())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;
    use crate::spec::tests::resolve_line;

    fn work_of(line: &str) -> Work {
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
            assert_eq!(made_by(line), work_of(line), "{line}");
            assert_eq!(work_of(line).difference(&made_by(line)), None, "{line}");
        }
        // The way in which a placeholder is filled makes no difference.
        assert_eq!(work_of("run --items a -- echo {}").difference(&made_by("run --items a --shell -- echo {}")), None);
    }

    #[test]
    fn a_difference_in_command_form_or_image_is_described() {
        let here = work_of("run --items a --image x:1 -- rev");
        let difference_of = |line| here.difference(&made_by(line)).unwrap_or_default();
        insta::assert_snapshot!(difference_of("run --items a --image x:1 -- rev -x"), @"another command: rev -x");
        insta::assert_snapshot!(difference_of("run --items a --image x:1 --item-as env -- rev"), @"its items as env, not as file");
        insta::assert_snapshot!(difference_of("run --items a --image x:2 -- rev"), @"another image: x:2");
        assert_eq!(difference_of("run --items b,c --image x:1 --cpu 2 -e A=b -- rev"), "");
    }

    #[test]
    fn jobs_of_other_tools_are_compared_by_the_words_of_the_container() {
        let here = work_of("run --items a --image x:1 -- rev");
        let difference_of = |worker: Value| here.difference(&foreign(&worker)).unwrap_or_default();
        let words = json!(["rev", "/input/data.txt"]);
        assert_eq!(difference_of(json!({"name": "w", "image": "x:1", "command": words})), "");
        assert_eq!(
            difference_of(json!({"name": "w", "image": "x:1", "command": ["rev"], "args": ["/input/data.txt"]})),
            ""
        );
        // Arguments alone belong to the image's entry point.
        insta::assert_snapshot!(difference_of(json!({"name": "w", "image": "x:1", "args": words})), @"another command: rev /input/data.txt");
        insta::assert_snapshot!(difference_of(json!({"name": "w", "image": "x:1", "command": ["tac"]})), @"another command: tac");
        insta::assert_snapshot!(difference_of(json!({"name": "w", "image": "y", "command": words})), @"another image: y");
    }
}
