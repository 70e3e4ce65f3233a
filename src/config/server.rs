//! Checks the `[server]` table, and turns its tokens into what is kept of them.

use std::path::Path;

use crate::http::{Settings, Token, TokenHash, TokenSettings};
use crate::model::BackendName;
use crate::secret::{ExposeSecret, Renewed, SecretSource, clean};

use super::backends::only_known;
use super::secrets::renewed;
use super::{KeyPath, Problem};

/// The settings with their tokens read.
pub(super) fn resolve(
    mut written: Settings<TokenSettings>,
    base: &Path,
    backends: &[BackendName],
) -> Result<Settings, Problem> {
    let at = KeyPath::of("server");
    let mut tokens: Vec<Token> = Vec::new();
    for (index, token) in std::mem::take(&mut written.tokens).into_iter().enumerate() {
        let at = at.key("tokens").index(index);
        let token = resolve_token(token, &at, base, backends)?;
        tokens
            .iter()
            .try_for_each(|earlier| refuse_twin(earlier, &token, &at))?;
        tokens.push(token);
    }
    if tokens.is_empty() && !written.listens_on_loopback() {
        let claim = format!(
            "is {}, which other machines may reach, so callers need a token: add a \
             [[server.tokens]] table with a `name` and a `token_file`",
            written.listen
        );
        return Err(Problem::value(&at.key("listen"), claim));
    }
    Ok(written.with_tokens(tokens))
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
            ));
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
        .map_err(|error| Problem::reason(&at, error))
}

fn refuse_twin(earlier: &Token, token: &Token, at: &KeyPath) -> Result<(), Problem> {
    let name = &token.name;
    if earlier.name == *name {
        let sentence = format!("two tokens are named `{name}`");
        return Err(Problem::new(&at.key("name"), sentence));
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
