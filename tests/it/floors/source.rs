//! The paths of a source file that lead out of its folder.

use super::tokens::{Token, tokens};

/// Something from elsewhere that a file uses.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// A module of this crate, by its path from the root; empty for the root itself.
    Module {
        path: Vec<String>,
        in_test: bool,
        line: usize,
    },
    /// The environment of the process.
    Environment { line: usize },
    /// Another crate.
    Crate {
        name: String,
        in_test: bool,
        line: usize,
    },
}

impl Use {
    pub(super) fn line(&self) -> usize {
        match self {
            Self::Module { line, .. } | Self::Environment { line } | Self::Crate { line, .. } => {
                *line
            }
        }
    }
}

/// What is read from the environment by.
const READERS: [&str; 6] = ["var", "vars", "var_os", "vars_os", "set_var", "remove_var"];

/// All uses in a file, which is the module `module`.
pub(super) fn uses(text: &str, module: &[String]) -> Vec<Use> {
    let tokens = tokens(text);
    let mut file = File {
        tokens: &tokens,
        module: module.to_vec(),
        inline: Vec::new(),
        depth: 0,
        found: Vec::new(),
    };
    for at in 0..tokens.len() {
        file.look_at(at);
    }
    file.found
}

struct File<'a> {
    tokens: &'a [Token<'a>],
    module: Vec<String>,
    /// The braces' depth around each inline module that is open, and whether it is a test's.
    inline: Vec<(usize, bool)>,
    depth: usize,
    found: Vec<Use>,
}

impl File<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text)
    }

    fn look_at(&mut self, at: usize) {
        let before = at.checked_sub(1).map_or("", |at| self.text(at)).to_owned();
        let in_test = self.inline.iter().any(|(_, test)| *test);
        let line = self.tokens[at].line;
        let leads_on = self.text(at + 1) == "::";
        match self.tokens[at].text {
            "{" => self.depth += 1,
            "}" => {
                self.depth = self.depth.saturating_sub(1);
                if self
                    .inline
                    .last()
                    .is_some_and(|(depth, _)| *depth == self.depth)
                {
                    self.inline.pop();
                    self.module.pop();
                }
            }
            "mod" if self.text(at + 2) == "{" => {
                self.inline.push((self.depth, self.follows_cfg_test(at)));
                self.module.push(self.text(at + 1).to_owned());
            }
            "crate" if leads_on => self.follow(Vec::new(), at + 2, in_test),
            "super" if leads_on && before != "::" => {
                let mut base = self.module.clone();
                let mut next = at;
                while self.text(next) == "super" {
                    base.pop();
                    next += 2;
                }
                self.follow(base, next, in_test);
            }
            "env" if leads_on && self.reads_environment(at + 2) => {
                self.found.push(Use::Environment { line });
            }
            name if leads_on && before != "::" && name.starts_with(char::is_lowercase) => {
                let name = name.to_owned();
                self.found.push(Use::Crate {
                    name,
                    in_test,
                    line,
                });
            }
            _ => {}
        }
    }

    /// Whether the attributes before `mod` are those of a test, its visibility apart.
    fn follows_cfg_test(&self, at: usize) -> bool {
        let start = at.saturating_sub(12);
        let words: Vec<&str> = (start..at).map(|at| self.text(at)).collect();
        let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
        let found = words
            .windows(attribute.len())
            .rposition(|window| window == attribute);
        found.is_some_and(|found| {
            let rest = &words[found + attribute.len()..];
            !rest.iter().any(|word| matches!(*word, ";" | "}" | "{"))
        })
    }

    /// Notes the modules that the path at `at` leads to from `base`, all of a group's.
    fn follow(&mut self, base: Vec<String>, at: usize, in_test: bool) {
        if self.text(at) == "{" {
            let mut depth = 0;
            let mut starts_path = true;
            for at in at + 1..self.tokens.len() {
                match self.text(at) {
                    "{" => depth += 1,
                    "}" if depth == 0 => return,
                    "}" => depth -= 1,
                    "," if depth == 0 => starts_path = true,
                    _ if depth == 0 && starts_path => {
                        starts_path = false;
                        self.follow(base.clone(), at, in_test);
                    }
                    _ => {}
                }
            }
            return;
        }
        let mut path = base;
        let line = self.tokens.get(at).map_or(0, |token| token.line);
        let mut next = at;
        while self
            .text(next)
            .starts_with(|c: char| c.is_alphabetic() || c == '_')
        {
            if self.text(next) != "self" {
                path.push(self.text(next).to_owned());
            }
            if self.text(next + 1) != "::" {
                break;
            }
            next += 2;
            if self.text(next) == "{" {
                return self.follow(path, next, in_test);
            }
        }
        self.found.push(Use::Module {
            path,
            in_test,
            line,
        });
    }

    fn reads_environment(&self, at: usize) -> bool {
        if self.text(at) != "{" {
            return READERS.contains(&self.text(at));
        }
        let group = (at + 1..self.tokens.len()).take_while(|at| self.text(*at) != "}");
        group.into_iter().any(|at| READERS.contains(&self.text(at)))
    }
}
