//! The paths that a source file names, read from its syntax tree.

use std::collections::BTreeMap;

use proc_macro2::{Punct, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Item, ItemMod, Visibility};

/// A path from the root of the crate, which is `crate`, or one of another crate.
pub(super) type Names = Vec<String>;

/// One file of the crate.
#[derive(Default)]
pub(super) struct Source {
    pub(super) module: Names,
    pub(super) uses: Vec<Use>,
    /// Names that imports and `mod` lines bring, and the paths behind them as written.
    imports: BTreeMap<String, Names>,
}

/// A path as written, and the module around it, which may be an inline one.
pub(super) struct Use {
    written: (Names, Names),
    pub(super) in_test: bool,
    pub(super) is_reexport: bool,
}

impl Source {
    /// Parses a file; `a/b.rs` and `a/b/mod.rs` are both the module `a::b`.
    pub(super) fn parse(file: &str, text: &str) -> Self {
        let tree = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let path = format!("crate/{}", file.trim_end_matches(".rs"));
        let parts = path.split('/').map(str::to_owned);
        let mut source = Self::default();
        source.module = parts.filter(|part| part != "mod").collect();
        let in_test = source.module.iter().any(|part| part == "tests");
        source.read(&tree.items, &source.module.clone(), in_test);
        source
    }

    fn read(&mut self, items: &[Item], module: &[String], in_test: bool) {
        for item in items {
            let mut is_reexport = false;
            if let Item::Mod(ItemMod {
                content,
                ident,
                attrs,
                ..
            }) = item
            {
                let inner = [module, &[ident.to_string()]].concat();
                if let Some((_, items)) = content {
                    let is_test = |tokens: TokenStream| tokens.to_string().contains("cfg (test)");
                    let is_test = attrs.iter().any(|it| is_test(it.to_token_stream()));
                    self.read(items, &inner, in_test || is_test);
                    continue;
                }
                self.imports.insert(ident.to_string(), inner);
            }
            for path in paths(item.to_token_stream(), &[]) {
                let parts = path.split(|name| name == "as").map(<[_]>::to_vec);
                let parts: Vec<Names> = parts.filter(|part| !part.is_empty()).collect();
                if let (Item::Use(item), true) = (item, module == self.module) {
                    is_reexport = !matches!(item.vis, Visibility::Inherited);
                    let name = parts.iter().flatten().rfind(|name| *name != "self");
                    self.imports
                        .extend(name.map(|name| (name.clone(), parts[0].clone())));
                }
                let written = parts.into_iter().map(|written| (written, module.to_vec()));
                self.uses.extend(written.map(|written| Use {
                    written,
                    in_test,
                    is_reexport,
                }));
            }
        }
    }

    /// Returns what a path leads to.
    pub(super) fn resolve(&self, used: &Use) -> Names {
        self.absolute(&used.written.0, &used.written.1)
    }

    /// Returns the path behind an imported name.
    pub(super) fn imported(&self, name: &str) -> Option<Names> {
        Some(self.absolute(self.imports.get(name)?, &self.module))
    }

    fn absolute(&self, written: &[String], module: &[String]) -> Names {
        let supers = written.iter().take_while(|name| *name == "super").count();
        let first = &written[0];
        // One name alone may be a local variable, unless it is spelled like a type.
        let is_path = written.len() > 1 || first.starts_with(char::is_uppercase);
        let mut path = match self.imports.get(first).filter(|path| path[0] != *first) {
            Some(path) if is_path && module == self.module => {
                [self.absolute(path, module), written[1..].to_vec()].concat()
            }
            _ if first == "self" => [module, &written[1..]].concat(),
            _ if supers > 0 && is_path => [
                &module[..module.len().saturating_sub(supers)],
                &written[supers..],
            ]
            .concat(),
            _ => written.to_vec(),
        };
        path.pop_if(|last| last == "self");
        path
    }
}

/// Returns the paths among the tokens, those of a group spelled out; `as` stays within a path.
fn paths(tokens: TokenStream, prefix: &[String]) -> Vec<Names> {
    let (mut found, mut path, mut colons) = (Vec::new(), prefix.to_vec(), 0);
    let end = TokenTree::from(Punct::new(',', Spacing::Alone));
    for token in tokens.into_iter().chain([end]) {
        let after_as = path.last().is_some_and(|last| last == "as");
        match token {
            TokenTree::Punct(it) if it.as_char() == ':' => {
                colons += 1;
                continue;
            }
            TokenTree::Punct(it) if it.as_char() == '*' && colons == 2 => path.push("glob".into()),
            TokenTree::Ident(it) if colons == 2 || after_as || it == "as" => {
                path.push(it.to_string())
            }
            TokenTree::Group(it) if colons == 2 => {
                found.extend(paths(it.stream(), &std::mem::take(&mut path)));
            }
            token => {
                found.extend((path.len() > prefix.len()).then_some(path));
                path = prefix.to_vec();
                match token {
                    TokenTree::Ident(it) => path.push(it.to_string()),
                    TokenTree::Group(it) => found.extend(paths(it.stream(), &[])),
                    _ => {}
                }
            }
        }
        colons = 0;
    }
    found
}
