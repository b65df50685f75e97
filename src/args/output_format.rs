//! Formats of `-o`: a word, or a template or columns in the syntax of kubectl.

use std::ffi::OsStr;
use std::marker::PhantomData;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser, ValueParserFactory};
use clap::error::ErrorKind;
use clap::{Arg, Command, Error, ValueEnum};

/// The value of `-o`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OutputFormat<T> {
    Word(T),
    /// The text after its equals sign, which is parsed where it is printed.
    Custom(CustomFormat, String),
}

/// Formats with a template or columns of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CustomFormat {
    /// Fields selected by a template, as in jsonpath='{.metadata.name}'
    #[value(name = "jsonpath=")]
    JsonPath,
    /// The same fields as JSON
    #[value(name = "jsonpath-as-json=")]
    JsonPathAsJson,
    /// Fields selected by a template in a file
    #[value(name = "jsonpath-file=")]
    JsonPathFile,
    /// A Go template, as in go-template='{{.metadata.name}}'
    #[value(name = "go-template=")]
    GoTemplate,
    /// A Go template in a file
    #[value(name = "go-template-file=", hide = true)]
    GoTemplateFile,
    /// A table of fields, as in custom-columns=NAME:.metadata.name
    #[value(name = "custom-columns=")]
    CustomColumns,
    /// A table described by a file: a line of names and a line of paths
    #[value(name = "custom-columns-file=", hide = true)]
    CustomColumnsFile,
}

impl CustomFormat {
    /// Returns the error for a format without its text.
    fn missing(self) -> &'static str {
        match self {
            Self::JsonPath => "a template is missing, as in jsonpath='{.metadata.name}'",
            Self::JsonPathAsJson => "a template is missing, as in jsonpath-as-json='{.metadata.name}'",
            Self::JsonPathFile => "a file with a template is missing, as in jsonpath-file=FILE",
            Self::GoTemplate => "a template is missing, as in go-template='{{.metadata.name}}'",
            Self::GoTemplateFile => "a file with a template is missing, as in go-template-file=FILE",
            Self::CustomColumns => "columns are missing, as in custom-columns=NAME:.metadata.name",
            Self::CustomColumnsFile => "a file with columns is missing, as in custom-columns-file=FILE",
        }
    }
}

impl<T: ValueEnum + Send + Sync + 'static> ValueParserFactory for OutputFormat<T> {
    type Parser = OutputFormatParser<T>;

    fn value_parser() -> Self::Parser {
        OutputFormatParser(PhantomData)
    }
}

/// Parses an [`OutputFormat`].
#[derive(Clone, Debug)]
pub(crate) struct OutputFormatParser<T>(PhantomData<T>);

impl<T: ValueEnum + Send + Sync + 'static> OutputFormatParser<T> {
    fn possible() -> impl Iterator<Item = PossibleValue> {
        let words = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        words.chain(CustomFormat::value_variants().iter().filter_map(ValueEnum::to_possible_value))
    }
}

impl<T: ValueEnum + Send + Sync + 'static> TypedValueParser for OutputFormatParser<T> {
    type Value = OutputFormat<T>;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<OutputFormat<T>, Error> {
        let text = value.to_str().unwrap_or_default();
        let name = text.split_once('=').map_or(text, |(name, _)| name);
        let Ok(form) = CustomFormat::from_str(&format!("{name}="), false) else {
            let word = PossibleValuesParser::new(Self::possible()).parse_ref(command, arg, value)?;
            return T::from_str(&word, false).map(OutputFormat::Word).map_err(|_| Error::new(ErrorKind::InvalidValue));
        };
        let read = move |text: String| match text.split_once('=') {
            None | Some((_, "")) => Err(form.missing()),
            Some((_, rest)) => Ok(OutputFormat::Custom(form, rest.to_owned())),
        };
        StringValueParser::new().try_map(read).parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Self::possible()))
    }
}
