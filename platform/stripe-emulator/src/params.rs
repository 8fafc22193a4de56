//! Request parameters as Stripe's clients write them: form pairs whose keys
//! carry brackets (`card[number]=4242`, `expand[]=charge`, `items[0][id]=x`).

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::error::ApiError;

/// Deeper keys than this are refused: no request of Stripe's needs them.
const DEEPEST: usize = 8;

/// String pairs attached to an object by its owner.
pub(crate) type Metadata = BTreeMap<String, String>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Leaf(String),
    /// Keys of an array are its positions, written as numbers.
    Branch(BTreeMap<String, Node>),
}

/// The parsed parameters of one request, or of one bracketed part of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params(BTreeMap<String, Node>);

impl Params {
    /// Parses `a=1&b[c]=2`; several texts (query, body) are read as one.
    pub(crate) fn parse(texts: &[&str]) -> Result<Self, ApiError> {
        let mut root = BTreeMap::new();
        for pair in texts
            .iter()
            .flat_map(|text| text.split('&'))
            .filter(|pair| !pair.is_empty())
        {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let key = decode(key);
            let path = split_key(&key).ok_or_else(|| malformed(&key))?;
            insert(&mut root, &path, decode(value)).map_err(|()| malformed(&key))?;
        }
        Ok(Self(root))
    }

    /// The text at `path`, given as `card.number`; an empty text counts as absent.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        match self.find(path)? {
            Node::Leaf(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// As [`Self::text`], owned.
    pub(crate) fn owned(&self, path: &str) -> Option<String> {
        self.text(path).map(str::to_owned)
    }

    /// Whether the parameter was sent at all, even empty.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    /// The text at `path`, or Stripe's refusal of a missing parameter.
    pub(crate) fn required(&self, path: &str) -> Result<&str, ApiError> {
        self.text(path).ok_or_else(|| {
            ApiError::parameter(
                "parameter_missing",
                path,
                format!("Missing required param: {}.", bracketed(path)),
            )
        })
    }

    /// A whole number, if present.
    pub(crate) fn integer(&self, path: &str) -> Result<Option<i64>, ApiError> {
        self.text(path)
            .map(|text| {
                text.parse().map_err(|_| {
                    ApiError::parameter(
                        "parameter_invalid_integer",
                        path,
                        format!("Invalid integer: {text}"),
                    )
                })
            })
            .transpose()
    }

    /// A boolean; absent means `false`.
    pub(crate) fn flag(&self, path: &str) -> Result<bool, ApiError> {
        Ok(self.choice(path)?.unwrap_or(false))
    }

    /// A boolean, if present.
    pub(crate) fn choice(&self, path: &str) -> Result<Option<bool>, ApiError> {
        match self.text(path) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(ApiError::parameter(
                "parameter_invalid_boolean",
                path,
                format!("Invalid boolean: {other}"),
            )),
        }
    }

    /// The texts of an array in the order of their positions.
    pub(crate) fn list(&self, path: &str) -> Vec<&str> {
        let Some(Node::Branch(items)) = self.find(path) else {
            return Vec::new();
        };
        let mut items: Vec<_> = items
            .iter()
            .filter_map(|(key, node)| match node {
                Node::Leaf(text) => Some((key.parse::<usize>().unwrap_or(usize::MAX), text)),
                Node::Branch(_) => None,
            })
            .collect();
        items.sort_by_key(|(position, _)| *position);
        items.into_iter().map(|(_, text)| text.as_str()).collect()
    }

    /// The bracketed part below `path`; empty when absent.
    pub(crate) fn below(&self, path: &str) -> Self {
        match self.find(path) {
            Some(Node::Branch(fields)) => Self(fields.clone()),
            _ => Self::default(),
        }
    }

    /// The names directly below `path`.
    pub(crate) fn names(&self, path: &str) -> Vec<&str> {
        match self.find(path) {
            Some(Node::Branch(fields)) => fields.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The names directly below this part, with the texts they carry.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(key, node)| match node {
            Node::Leaf(text) => Some((key.as_str(), text.as_str())),
            Node::Branch(_) => None,
        })
    }

    /// Lays `metadata[..]` over what is there: an empty text removes a key, an
    /// empty `metadata` removes all.
    pub(crate) fn merge_metadata(&self, into: &mut Metadata) {
        match self.find("metadata") {
            Some(Node::Leaf(text)) if text.is_empty() => into.clear(),
            Some(Node::Branch(fields)) => {
                for (key, node) in fields {
                    match node {
                        Node::Leaf(text) if text.is_empty() => drop(into.remove(key)),
                        Node::Leaf(text) => drop(into.insert(key.clone(), text.clone())),
                        Node::Branch(_) => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// The metadata of a new object.
    pub(crate) fn metadata(&self) -> Metadata {
        let mut metadata = Metadata::new();
        self.merge_metadata(&mut metadata);
        metadata
    }

    /// A digest that does not depend on the order in which parameters were sent.
    pub(crate) fn digest(&self, method: &str, path: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update(format!("{method} {path}\n"));
        absorb(&self.0, &mut hasher);
        hex::encode(hasher.finalize())
    }

    fn find(&self, path: &str) -> Option<&Node> {
        let mut level = &self.0;
        let mut parts = path.split('.').peekable();
        while let Some(part) = parts.next() {
            let node = level.get(part)?;
            if parts.peek().is_none() {
                return Some(node);
            }
            match node {
                Node::Branch(fields) => level = fields,
                Node::Leaf(_) => return None,
            }
        }
        None
    }
}

/// `card.number` as a client wrote it: `card[number]`.
pub(crate) fn bracketed(path: &str) -> String {
    let mut parts = path.split('.');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(&format!("[{part}]"));
    }
    text
}

fn malformed(key: &str) -> ApiError {
    ApiError::parameter(
        "parameter_invalid",
        key,
        format!("Invalid parameter name: {key}"),
    )
}

/// `a[b][]` → `["a", "b", ""]`.
fn split_key(key: &str) -> Option<Vec<&str>> {
    let (first, mut rest) = key.split_at(key.find('[').unwrap_or(key.len()));
    let mut path = vec![first];
    while !rest.is_empty() {
        let (part, after) = rest.strip_prefix('[')?.split_once(']')?;
        path.push(part);
        rest = after;
    }
    (!first.is_empty() && path.len() <= DEEPEST).then_some(path)
}

fn insert(level: &mut BTreeMap<String, Node>, path: &[&str], value: String) -> Result<(), ()> {
    let [part, deeper @ ..] = path else {
        return Err(());
    };
    let key = if part.is_empty() {
        level.len().to_string()
    } else {
        (*part).to_owned()
    };
    if deeper.is_empty() {
        level.insert(key, Node::Leaf(value));
        return Ok(());
    }
    match level
        .entry(key)
        .or_insert_with(|| Node::Branch(BTreeMap::new()))
    {
        Node::Branch(fields) => insert(fields, deeper, value),
        Node::Leaf(_) => Err(()),
    }
}

/// Lengths are hashed with the texts, so that no two trees share an encoding.
fn absorb(level: &BTreeMap<String, Node>, hasher: &mut Sha256) {
    hasher.update(format!("{{{}:", level.len()));
    for (key, node) in level {
        hasher.update(format!("{}:{key}=", key.len()));
        match node {
            Node::Leaf(text) => hasher.update(format!("{}:{text}", text.len())),
            Node::Branch(fields) => absorb(fields, hasher),
        }
    }
    hasher.update("}");
}

/// Undoes form encoding; what is not a valid escape is kept as it stands.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| hex::decode(digits).ok());
        match escaped {
            Some(byte) => {
                out.extend(byte);
                at += 3;
            }
            None => {
                out.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Params {
        Params::parse(&[text]).expect("well-formed parameters")
    }

    #[test]
    fn brackets_become_a_tree_and_escapes_are_undone() {
        let params = parse("a%5Bb%5D%5B0%5D=c&a[b][1]=d&name=J%C3%BCrg+M%26M&empty=");
        assert_eq!(params.list("a.b"), ["c", "d"]);
        assert_eq!(params.text("name"), Some("Jürg M&M"));
        assert_eq!(params.text("empty"), None);
        assert!(params.has("empty"));
    }

    #[test]
    fn arrays_keep_their_order_beyond_ten_positions() {
        let text: Vec<_> = (0..12).map(|n| format!("expand[{n}]=v{n}")).collect();
        let wanted: Vec<_> = (0..12).map(|n| format!("v{n}")).collect();
        assert_eq!(parse(&text.join("&")).list("expand"), wanted);
        assert_eq!(parse("expand[]=x&expand[]=y").list("expand"), ["x", "y"]);
    }

    #[test]
    fn a_key_that_is_both_text_and_tree_is_refused() {
        assert!(Params::parse(&["a=1&a[b]=2"]).is_err());
        assert!(Params::parse(&["a[b=2"]).is_err());
        assert!(Params::parse(&["[b]=2"]).is_err());
    }

    #[test]
    fn the_digest_ignores_order_but_not_content() {
        let one = parse("a=1&b[c]=2").digest("POST", "/v1/refunds");
        assert_eq!(one, parse("b[c]=2&a=1").digest("POST", "/v1/refunds"));
        assert_ne!(one, parse("b[c]=3&a=1").digest("POST", "/v1/refunds"));
        assert_ne!(one, parse("a=1&b[c]=2").digest("POST", "/v1/payouts"));
        let (flat, deep) = (parse("a=1%3Dx"), parse("a[1]=x"));
        assert_ne!(flat.digest("POST", "/"), deep.digest("POST", "/"));
    }

    #[test]
    fn metadata_is_merged_and_unset_by_empty_text() {
        let mut metadata = parse("metadata[a]=1&metadata[b]=2").metadata();
        parse("metadata[a]=&metadata[0]=zero").merge_metadata(&mut metadata);
        assert_eq!(
            metadata,
            Metadata::from([("b".into(), "2".into()), ("0".into(), "zero".into())])
        );
        parse("metadata=").merge_metadata(&mut metadata);
        assert!(metadata.is_empty());
    }

    #[test]
    fn numbers_and_booleans_are_checked() {
        assert_eq!(
            parse("amount=12").integer("amount").expect("a number"),
            Some(12)
        );
        assert!(parse("amount=12.5").integer("amount").is_err());
        assert!(parse("confirm=yes").flag("confirm").is_err());
        assert!(parse("").required("amount").is_err());
    }
}
