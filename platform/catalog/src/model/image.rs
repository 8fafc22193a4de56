//! Pictures of products.

use berth_kernel::{ImageId, ProductId};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Most pictures of a product.
const MOST: usize = 20;

/// A picture of a product. Its files never change: another picture is another id.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// What it says to who does not see it.
    pub alt: String,
    /// The ending of its files' names: `jpg` or `png`.
    pub extension: String,
    /// Its sizes in pixels, width and height, the narrowest first.
    pub sizes: Vec<(i32, i32)>,
}

/// A picture to be added.
#[derive(Clone, Debug)]
pub struct NewImage {
    /// Of what.
    pub product_id: ProductId,
    /// The file as it was uploaded.
    pub file: bytes::Bytes,
    /// What it says to who does not see it, up to 300 characters.
    pub alt: String,
}

/// What may be changed of a picture; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct ImageChange {
    /// What it says to who does not see it.
    pub alt: Option<String>,
    /// Where it is shown among the product's, from 0.
    pub position: Option<usize>,
}

/// The path of a file of a picture within a tenant's folder.
pub(crate) fn path(id: ImageId, width: u32, extension: &str) -> String {
    format!("images/{id}/{width}.{extension}")
}

pub(crate) fn check_alt(alt: &str) -> Result<(), Error> {
    if alt.chars().count() > 300 || alt.chars().any(char::is_control) {
        let detail = "At most 300 characters of one line.";
        return Err(Error::invalid("alt", "ALT_INVALID", detail));
    }
    Ok(())
}

pub(crate) fn check_count(there: usize) -> Result<(), Error> {
    if there >= MOST {
        let detail = "A product has at most 20 pictures.";
        return Err(Error::invalid("image", "TOO_MANY", detail));
    }
    Ok(())
}
