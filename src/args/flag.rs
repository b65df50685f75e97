//! What a flag declares besides its parser: the source of its completions, and the default that users may configure.
//! Both are attached to the argument itself: `#[arg(add = Complete::Jobs)]`.

use clap::builder::ArgExt;

/// The source of an argument's completions, where only the cluster or the kubeconfig knows the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Complete {
    Jobs,
    Indexes,
    /// The indexes that `retry` would run.
    OutstandingIndexes,
    Items,
    Attempts,
    Containers,
    /// The reasons of the failures that `retry` would run again.
    FailureReasons,
    /// The exit codes of the failures that `retry` would run again.
    ExitCodes,
    WaitGoals,
    /// ConfigMaps, and after a slash the keys of one.
    ItemLists,
    Namespaces,
    ServiceAccounts,
    PriorityClasses,
    LocalQueues,
    Contexts,
    Clusters,
    Users,
}

impl ArgExt for Complete {}

/// How the value of a setting is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SettingShape {
    One,
    /// A list; a source of higher precedence replaces it.
    List,
    /// Values by key; a source of higher precedence replaces single keys.
    Map,
}

/// The fields of a template that take precedence over a setting, as JSON pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TemplateFields {
    None,
    /// The label with the name of the Kueue queue.
    QueueLabel,
    /// Fields of the Job.
    Job(&'static [&'static str]),
    /// Fields of the Pod's spec.
    Pod(&'static [&'static str]),
    /// Fields of the worker's container.
    Worker(&'static [&'static str]),
    /// Fields of the Job, or a Pod that restarts its container: failures can't be counted for each index then.
    Failures(&'static [&'static str]),
}

/// Marks a flag whose default users may configure by a file or an environment variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Configurable {
    pub(crate) shape: SettingShape,
    pub(crate) fields: TemplateFields,
    /// A value in YAML; of a map, one line.
    pub(crate) example: &'static str,
    /// The default of the program where clap does not know it, as the help says it.
    pub(crate) default: Option<&'static str>,
}

impl ArgExt for Configurable {}

impl Configurable {
    const fn new(shape: SettingShape, fields: TemplateFields, example: &'static str) -> Self {
        Self { shape, fields, example, default: None }
    }

    pub(crate) const fn value(fields: TemplateFields, example: &'static str) -> Self {
        Self::new(SettingShape::One, fields, example)
    }

    pub(crate) const fn list(fields: TemplateFields, example: &'static str) -> Self {
        Self::new(SettingShape::List, fields, example)
    }

    pub(crate) const fn map(fields: TemplateFields, example: &'static str) -> Self {
        Self::new(SettingShape::Map, fields, example)
    }

    pub(crate) const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }
}
