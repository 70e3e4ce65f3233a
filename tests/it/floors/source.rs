//! The paths that a source file names, read from its syntax tree.

use std::collections::BTreeMap;

use proc_macro2::{Punct, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item, ItemMod, ItemUse, Visibility};

/// One file and the module that it is.
pub(super) struct Source {
    pub(super) file: String,
    pub(super) module: String,
    pub(super) uses: Vec<Use>,
    /// Names that imports and `mod` lines bring, and the paths behind them as written.
    imports: BTreeMap<String, String>,
}

/// A path, `crate::…` or one of another crate.
pub(super) struct Use {
    pub(super) path: String,
    pub(super) in_test: bool,
    pub(super) is_reexport: bool,
}

impl Source {
    /// Parses a file; `a/b.rs` and `a/b/mod.rs` are both the module `crate::a::b`.
    pub(super) fn parse(file: &str, text: &str) -> Self {
        let tree = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let name = file.trim_end_matches(".rs").trim_end_matches("/mod");
        let module = format!("crate::{}", name.replace('/', "::"));
        let (file, uses, mut imports) = (file.to_owned(), Vec::new(), BTreeMap::new());
        let last = |path: &str| path.rsplit("::").next().unwrap_or_default().to_owned();
        for item in &tree.items {
            let found = match item {
                Item::Mod(item) => vec![format!("{module}::{}", item.ident)],
                Item::Use(item) => paths(item.tree.to_token_stream(), ""),
                _ => Vec::new(),
            };
            for (at, path) in found.iter().enumerate() {
                let renamed = found.get(at + 1).filter(|next| last(next) == "as");
                let name = renamed.and(found.get(at + 2)).unwrap_or(path);
                imports.entry(last(name)).or_insert_with(|| path.clone());
            }
        }
        let mut source = Self {
            file,
            module: module.clone(),
            uses,
            imports,
        };
        let in_test = name.split('/').any(|part| part == "tests");
        source.read(&tree.items, &module, in_test);
        source
    }

    fn read(&mut self, items: &[Item], module: &str, in_test: bool) {
        for item in items {
            if let Item::Mod(ItemMod {
                content: Some((_, items)),
                ident,
                attrs,
                ..
            }) = item
            {
                let is_test = |it: &Attribute| it.to_token_stream().to_string() == "# [cfg (test)]";
                let in_test = in_test || attrs.iter().any(is_test);
                self.read(items, &format!("{module}::{ident}"), in_test);
                continue;
            }
            let is_private = |item: &ItemUse| matches!(item.vis, Visibility::Inherited);
            let is_reexport = matches!(item, Item::Use(item) if !is_private(item));
            let mut found = paths(item.to_token_stream(), "");
            // One name alone may be a local variable, unless it is spelled like a type.
            found.retain(|it| it.contains("::") || it.starts_with(char::is_uppercase));
            let found = found.iter().map(|written| self.absolute(written, module));
            let uses: Vec<_> = found
                .map(|path| Use {
                    path,
                    in_test,
                    is_reexport,
                })
                .collect();
            self.uses.extend(uses);
        }
    }

    /// Returns the path behind an imported name.
    pub(super) fn imported(&self, name: &str) -> Option<String> {
        Some(self.absolute(self.imports.get(name)?, &self.module))
    }

    fn absolute(&self, written: &str, module: &str) -> String {
        let first = written.split("::").next().unwrap_or_default();
        let rest = &written[first.len()..];
        let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
        match self
            .imports
            .get(first)
            .filter(|path| path.split("::").next() != Some(first))
        {
            _ if first == "self" => format!("{module}{rest}"),
            _ if rest.starts_with("::super") => self.absolute(&rest[2..], parent),
            _ if first == "super" => format!("{parent}{rest}"),
            Some(path) if module == self.module => self.absolute(&format!("{path}{rest}"), module),
            _ => written.to_owned(),
        }
    }
}

/// Returns the paths among tokens, those of a group spelled out.
fn paths(tokens: TokenStream, prefix: &str) -> Vec<String> {
    let (mut found, mut path, mut colons) = (Vec::new(), prefix.to_owned(), 0);
    let end = TokenTree::from(Punct::new(',', Spacing::Alone));
    for token in tokens.into_iter().chain([end]) {
        let before = std::mem::take(&mut colons);
        match token {
            TokenTree::Punct(it) if it.as_char() == ':' => colons = before + 1,
            TokenTree::Punct(it) if it.as_char() == '*' && before == 2 => path += "::glob",
            TokenTree::Ident(it) if before == 2 => path += &format!("::{it}"),
            TokenTree::Group(it) if before == 2 => {
                found.extend(paths(it.stream(), &(std::mem::take(&mut path) + "::")));
            }
            token => {
                if path.len() > prefix.len() {
                    found.push(path.trim_end_matches("::self").to_owned());
                }
                let is_public = std::mem::replace(&mut path, prefix.to_owned()) == "pub";
                match token {
                    TokenTree::Ident(it) => path += &it.to_string(),
                    // `pub(in crate::a)` uses nothing of `a`.
                    TokenTree::Group(it) if is_public && it.to_string().starts_with("(in ") => {}
                    TokenTree::Group(it) => found.extend(paths(it.stream(), "")),
                    _ => {}
                }
            }
        }
    }
    found
}
