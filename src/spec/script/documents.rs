//! Here-documents: where they end, and what a shell replaces in them.

use super::reader::{Piece, ScriptChar, ScriptReader, is_meta};
use super::writer::Writer;
use crate::error::Error;
use crate::spec::template::Placeholder;

/// A here-document whose body is still to come.
pub(super) struct Document {
    delimiter: String,
    quoted: bool,
    /// Whether tabs at the start of its lines go.
    tabs: bool,
}

impl Writer<'_> {
    /// `<<` and the word after it; none if there is none.
    pub(super) fn delimiter(&mut self, reader: &mut ScriptReader<'_, '_>) -> Result<Option<Document>, Error> {
        self.copy(reader, 2);
        let tabs = reader.char(0) == Some('-');
        self.copy(reader, usize::from(tabs));
        while matches!(reader.char(0), Some(' ' | '\t')) {
            self.copy(reader, 1);
        }
        let mut document = Document { delimiter: String::new(), quoted: false, tabs };
        let mut quote = None;
        while let Some(seen) = reader.seen(0) {
            let c = match seen {
                ScriptChar::Char(c) if quote.is_none() && is_meta(c) => break,
                ScriptChar::Char(c) => c,
                ScriptChar::Value(placeholder) => {
                    return Err(self.refuse(
                        placeholder,
                        "a shell takes the delimiter of a here-document as it is",
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

    /// The lines of a here-document, with the one that ends it.
    pub(super) fn document(&mut self, reader: &mut ScriptReader<'_, '_>, document: &Document) -> Result<(), Error> {
        let rest = &reader.pieces[reader.at..];
        let mut body = 0;
        let mut continued = false;
        let mut ending = 0;
        for line in rest.split_inclusive(|piece| matches!(piece.seen, ScriptChar::Char('\n'))) {
            let text = line.iter().map(|piece| piece.seen.char());
            let text = text.skip_while(|c| document.tabs && *c == Some('\t')).take_while(|c| *c != Some('\n'));
            if !continued && text.eq(document.delimiter.chars().map(Some)) {
                ending = line.len();
                break;
            }
            let backslash = |piece: &&Piece<'_>| matches!(piece.seen, ScriptChar::Char('\\'));
            continued = !document.quoted && line.iter().rev().skip(1).take_while(backslash).count() % 2 == 1;
            body += line.len();
        }
        let mut inner = ScriptReader { pieces: &rest[..body], at: 0 };
        self.document = true;
        while let Some(seen) = inner.seen(0) {
            match seen {
                ScriptChar::Value(placeholder) if document.quoted => {
                    return Err(self.refuse_document(placeholder, document));
                }
                ScriptChar::Char('"') => self.copy(&mut inner, 1),
                _ if document.quoted => self.copy(&mut inner, 1),
                _ => self.expansion(&mut inner, seen, true)?,
            }
        }
        self.document = false;
        reader.at += body;
        self.copy(reader, ending);
        Ok(())
    }

    fn refuse_document(&self, placeholder: &Placeholder, document: &Document) -> Error {
        let delimiter = &document.delimiter;
        let why = format!("the delimiter {delimiter} is quoted, so a shell takes the here-document as it is");
        let instead = format!(
            "write <<{delimiter} without quotes, or use --item-as env if what reads the here-document can look into \
             its environment"
        );
        self.refuse(placeholder, &why, Some(&instead))
    }
}
