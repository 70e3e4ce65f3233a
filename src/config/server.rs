//! Checks the `[server]` table, and turns its tokens into what is kept of them.

use std::path::Path;

use crate::http::{Settings, Token, TokenHash, TokenSettings};
use crate::model::BackendName;
use crate::secret::{ExposeSecret, Renewed, SecretSource, clean};

use super::backends::only_known;
use super::problem::Remedy;
use super::secrets::renewed;
use super::{KeyPath, Problem};

/// The settings with their tokens read; without those that are among the problems.
pub(super) fn resolve(
    mut written: Settings<TokenSettings>,
    base: &Path,
    backends: &[BackendName],
    problems: &mut Vec<Problem>,
) -> Settings {
    let at = KeyPath::of("server");
    let mut tokens: Vec<Token> = Vec::new();
    let given = std::mem::take(&mut written.tokens);
    let has_tokens = !given.is_empty();
    for (index, token) in given.into_iter().enumerate() {
        let at = at.key("tokens").index(index);
        let resolved = resolve_token(token, &at, base, backends).and_then(|token| {
            let mut earlier = tokens.iter();
            earlier.try_for_each(|earlier| refuse_twin(earlier, &token, &at))?;
            Ok(token)
        });
        match resolved {
            Ok(token) => tokens.push(token),
            Err(problem) => problems.push(problem),
        }
    }
    if !has_tokens && !written.listens_on_loopback() {
        let claim = format!(
            "is {}, which other machines may reach, so callers need a token: add a \
             [[server.tokens]] table with a `name` and a `token_file`",
            written.listen
        );
        let line = "tokens = [{ name = \"dstack\", token_file = \"secrets/dstack\" }]";
        let remedy = Remedy::Line(line.to_owned());
        problems.push(Problem::value(&at.key("listen"), claim).with_remedy(remedy));
    }
    written.with_tokens(tokens)
}

fn resolve_token(
    written: TokenSettings,
    at: &KeyPath,
    base: &Path,
    backends: &[BackendName],
) -> Result<Token, Problem> {
    if written.name.trim().is_empty() {
        return Err(Problem::value(&at.key("name"), "is empty"));
    }
    if written.scopes.is_empty() {
        let claim = "is empty, so the token would allow nothing";
        return Err(Problem::value(&at.key("scopes"), claim));
    }
    Ok(Token {
        hash: hash(&written, at, base)?,
        backends: only_known(written.backends, at, backends)?,
        name: written.name,
        scopes: written.scopes,
    })
}

fn hash(written: &TokenSettings, at: &KeyPath, base: &Path) -> Result<Renewed<TokenHash>, Problem> {
    let name = &written.name;
    let source = match (&written.token_file, &written.sha256, &written.token) {
        (Some(file), None, None) => SecretSource::File(file.clone()),
        (None, None, Some(text)) => SecretSource::Text(text.clone()),
        (None, Some(digits), None) => {
            let mut hash = [0; 32];
            // The value is not repeated: somebody may have put the token itself there.
            hex::decode_to_slice(clean(digits), &mut hash).map_err(|_| {
                let claim = "must be the 64 hexadecimal digits of a SHA-256";
                Problem::value(&at.key("sha256"), claim)
            })?;
            return Ok(Renewed::fixed(hash));
        }
        (None, None, None) => {
            return Err(Problem::new(
                at,
                format!("the token `{name}` has no value: give a `token_file` or a `sha256`"),
            )
            .with_remedy(Remedy::ExampleOf(at.key("token_file"))));
        }
        _ => {
            return Err(Problem::new(
                at,
                format!(
                    "the token `{name}` has more than one value: keep one of `token_file`, \
                     `sha256` and the environment's `token`"
                ),
            ));
        }
    };
    let at = at.key(source.key("token_file", "token"));
    renewed(source, base, |text| Token::hash(text.expose_secret()))
        .map_err(|error| Problem::reason(&at, error).with_remedy(Remedy::None))
}

fn refuse_twin(earlier: &Token, token: &Token, at: &KeyPath) -> Result<(), Problem> {
    let name = &token.name;
    if earlier.name == *name {
        let sentence = format!("two tokens are named `{name}`");
        let remedy = Remedy::Line(format!("name = \"{name}-2\""));
        return Err(Problem::new(&at.key("name"), sentence).with_remedy(remedy));
    }
    if earlier.hash == token.hash {
        let sentence = format!(
            "the tokens `{}` and `{name}` are the same, so nobody could tell their bearers apart",
            earlier.name
        );
        return Err(Problem::new(at, sentence));
    }
    Ok(())
}
