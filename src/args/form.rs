//! The forms of `-o`: a word, or with kubectl's syntax a template or columns of one's own.

use std::ffi::OsStr;
use std::marker::PhantomData;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser, ValueParserFactory};
use clap::{Arg, Command, Error, ValueEnum};

/// What `-o` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form<T> {
    Word(T),
    Custom(CustomForm),
}

/// What a form of one's own is written as. What it says is read where it is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CustomForm {
    JsonPath(String),
    JsonPathAsJson(String),
    JsonPathFile(PathBuf),
    CustomColumns(String),
    CustomColumnsFile(PathBuf),
}

/// A form of one's own: its name, what it prints, what is missing when nothing follows, and how it is read.
struct Kind {
    name: &'static str,
    help: &'static str,
    what: &'static str,
    hidden: bool,
    read: fn(&str) -> CustomForm,
}

const KINDS: [Kind; 5] = [
    Kind {
        name: "jsonpath=",
        help: "What a template takes out of the JSON, as in jsonpath='{.metadata.name}'",
        what: "a template is missing, as in jsonpath='{.metadata.name}'",
        hidden: false,
        read: |text| CustomForm::JsonPath(text.to_owned()),
    },
    Kind {
        name: "jsonpath-as-json=",
        help: "The same as JSON",
        what: "a template is missing, as in jsonpath-as-json='{.metadata.name}'",
        hidden: false,
        read: |text| CustomForm::JsonPathAsJson(text.to_owned()),
    },
    Kind {
        name: "jsonpath-file=",
        help: "By a template in a file",
        what: "a file with a template is missing, as in jsonpath-file=FILE",
        hidden: false,
        read: |text| CustomForm::JsonPathFile(text.into()),
    },
    Kind {
        name: "custom-columns=",
        help: "A table of paths into the JSON, as in custom-columns=NAME:.metadata.name",
        what: "columns are missing, as in custom-columns=NAME:.metadata.name",
        hidden: false,
        read: |text| CustomForm::CustomColumns(text.to_owned()),
    },
    Kind {
        name: "custom-columns-file=",
        help: "A table by a file with a line of names and a line of paths",
        what: "a file with columns is missing, as in custom-columns-file=FILE",
        hidden: true,
        read: |text| CustomForm::CustomColumnsFile(text.into()),
    },
];

impl<T: ValueEnum + Send + Sync + 'static> ValueParserFactory for Form<T> {
    type Parser = FormParser<T>;

    fn value_parser() -> Self::Parser {
        FormParser(PhantomData)
    }
}

/// Reads a form.
#[derive(Clone, Debug)]
pub(crate) struct FormParser<T>(PhantomData<T>);

impl<T: ValueEnum + Send + Sync + 'static> FormParser<T> {
    fn possible() -> impl Iterator<Item = PossibleValue> {
        let words = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        words.chain(KINDS.iter().map(|kind| PossibleValue::new(kind.name).help(kind.help).hide(kind.hidden)))
    }
}

impl<T: ValueEnum + Send + Sync + 'static> TypedValueParser for FormParser<T> {
    type Value = Form<T>;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Form<T>, Error> {
        let text = value.to_str().unwrap_or_default();
        let kind = KINDS.iter().find(|kind| {
            text.strip_prefix(kind.name.trim_end_matches('='))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        });
        let Some(kind) = kind else {
            let word = PossibleValuesParser::new(Self::possible()).parse_ref(command, arg, value)?;
            // One of the words, since it is none of the others.
            let found = T::value_variants()
                .iter()
                .find(|variant| variant.to_possible_value().is_some_and(|possible| possible.matches(&word, false)));
            return found.cloned().map(Form::Word).ok_or_else(|| Error::new(clap::error::ErrorKind::InvalidValue));
        };
        let read = move |text: String| match text.split_once('=') {
            None | Some((_, "")) => Err(kind.what),
            Some((_, rest)) => Ok(Form::Custom((kind.read)(rest))),
        };
        StringValueParser::new().try_map(read).parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Self::possible()))
    }
}
