//! Here-documents: their ends, and the placeholders in them.

use super::reader::{Piece, ScriptChar, ScriptReader, is_meta};
use super::writer::Writer;
use crate::error::Error;
use crate::spec::template::Placeholder;

/// A here-document whose body follows later.
pub(super) struct Document {
    delimiter: String,
    quoted: bool,
    /// Whether the shell removes tabs at the start of its lines.
    tabs: bool,
}

impl Writer<'_> {
    /// Reads `<<` and the delimiter after it; `None` if there is none.
    pub(super) fn parse_delimiter(&mut self, reader: &mut ScriptReader<'_, '_>) -> Result<Option<Document>, Error> {
        self.copy(reader, 2);
        let tabs = reader.char(0) == Some('-');
        self.copy(reader, usize::from(tabs));
        while matches!(reader.char(0), Some(' ' | '\t')) {
            self.copy(reader, 1);
        }
        let mut document = Document { delimiter: String::new(), quoted: false, tabs };
        let mut quote = None;
        while let Some(seen) = reader.peek(0) {
            let c = match seen {
                ScriptChar::Char(c) if quote.is_none() && is_meta(c) => break,
                ScriptChar::Char(c) => c,
                ScriptChar::Value(placeholder) => {
                    return Err(self.refuse(
                        placeholder,
                        "a shell does not expand the delimiter of a here-document",
                        None,
                    ));
                }
            };
            self.copy(reader, 1);
            match (c, quote) {
                ('\\', None) => {
                    document.delimiter.extend(reader.char(0));
                    self.copy(reader, usize::from(reader.char(0).is_some()));
                }
                (c @ ('\'' | '"'), None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                _ => {
                    document.delimiter.push(c);
                    continue;
                }
            }
            document.quoted = true;
        }
        Ok((document.quoted || !document.delimiter.is_empty()).then_some(document))
    }

    /// Writes the lines of a here-document with the last one, the delimiter.
    pub(super) fn write_document(
        &mut self,
        reader: &mut ScriptReader<'_, '_>,
        document: &Document,
    ) -> Result<(), Error> {
        let rest = &reader.pieces[reader.at..];
        let mut body = 0;
        let mut continued = false;
        let mut ending = 0;
        for line in rest.split_inclusive(|piece| matches!(piece.value, ScriptChar::Char('\n'))) {
            let text = line.iter().map(|piece| piece.value.char());
            let text = text.skip_while(|c| document.tabs && *c == Some('\t')).take_while(|c| *c != Some('\n'));
            if !continued && text.eq(document.delimiter.chars().map(Some)) {
                ending = line.len();
                break;
            }
            let backslash = |piece: &&Piece<'_>| matches!(piece.value, ScriptChar::Char('\\'));
            continued = !document.quoted && line.iter().rev().skip(1).take_while(backslash).count() % 2 == 1;
            body += line.len();
        }
        let mut inner = ScriptReader { pieces: &rest[..body], at: 0 };
        self.document = true;
        while let Some(seen) = inner.peek(0) {
            match seen {
                ScriptChar::Value(placeholder) if document.quoted => {
                    return Err(self.refuse_document(placeholder, document));
                }
                ScriptChar::Char('"') => self.copy(&mut inner, 1),
                _ if document.quoted => self.copy(&mut inner, 1),
                _ => self.write_expansion(&mut inner, seen, true)?,
            }
        }
        self.document = false;
        reader.at += body;
        self.copy(reader, ending);
        Ok(())
    }

    fn refuse_document(&self, placeholder: &Placeholder, document: &Document) -> Error {
        let delimiter = &document.delimiter;
        let why = format!("a shell expands nothing in a here-document with the quoted delimiter {delimiter}");
        let hint = format!("write <<{delimiter} without quotes, or use --item-as env and read the variable");
        self.refuse(placeholder, &why, Some(&hint))
    }
}
