//! Pictures that somebody uploads, made into files that can be shown to anybody.
//!
//! What is uploaded is never passed on: it is read, and written anew in the sizes that pages want. What else was
//! in the file, such as where a photo was taken or a program in disguise, is not there any more. What a file is
//! its first bytes say, and not its name; how large the picture is is known before it is unpacked.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits, codecs::jpeg::JpegEncoder,
    imageops::FilterType, metadata::Orientation,
};

/// Widths in which a picture is kept, in pixels; none wider than it is.
pub const WIDTHS: [u32; 3] = [320, 800, 1_600];
/// Most bytes of a file.
pub const MOST_BYTES: usize = 10 * 1024 * 1024;
/// Most pixels of a picture, and of one of its sides.
const MOST_PIXELS: u64 = 40_000_000;
const LONGEST_SIDE: u32 = 12_000;
/// Fewest of its sides.
const SHORTEST_SIDE: u32 = 32;
/// Most memory for reading one.
const MOST_MEMORY: u64 = 256 * 1024 * 1024;
/// What JPEG gives up, of 100.
const QUALITY: u8 = 82;

/// A file that is no picture that can be shown.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// Something else.
    #[error("This is no JPEG, PNG or WebP file.")]
    NotAPicture,
    /// Too many bytes.
    #[error("The file has more than 10 MB.")]
    TooManyBytes,
    /// Too many pixels.
    #[error("The picture has more than 40 million pixels, or a side of more than 12,000.")]
    TooLarge,
    /// Too few of them.
    #[error("The picture has a side of fewer than 32 pixels.")]
    TooSmall,
    /// It begins like a picture, and is none.
    #[error("The file is damaged.")]
    Damaged(#[source] image::ImageError),
    /// It cannot be written.
    #[error("the picture cannot be written")]
    Unwritable(#[source] image::ImageError),
}

impl Unusable {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAPicture => "NOT_A_PICTURE",
            Self::TooManyBytes | Self::TooLarge => "PICTURE_TOO_LARGE",
            Self::TooSmall => "PICTURE_TOO_SMALL",
            Self::Damaged(_) | Self::Unwritable(_) => "PICTURE_DAMAGED",
        }
    }
}

/// How a picture is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// What nothing shines through.
    Jpeg,
    /// What something shines through.
    Png,
}

impl Format {
    /// The ending of a file's name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }

    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    /// The format whose files end so.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        [Self::Jpeg, Self::Png]
            .into_iter()
            .find(|format| format.extension() == extension)
    }
}

/// A picture in one of its sizes.
#[derive(Clone, Debug)]
pub struct Rendition {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The file.
    pub bytes: Vec<u8>,
}

/// A picture that can be shown.
#[derive(Clone, Debug)]
pub struct Picture {
    /// How all of its files are written.
    pub format: Format,
    /// The narrowest first; at least one.
    pub renditions: Vec<Rendition>,
}

/// Reads a file and writes it anew in all sizes. Takes up to some seconds of a processor.
///
/// # Errors
/// [`Unusable`].
pub fn read(bytes: &[u8]) -> Result<Picture, Unusable> {
    let picture = upright(bytes)?;
    let opaque = !picture.color().has_alpha() || shines_nowhere(&picture);
    let format = match opaque {
        true => Format::Jpeg,
        false => Format::Png,
    };
    let widths = widths(picture.width());
    let renditions = widths
        .into_iter()
        .map(|width| rendition(&picture, width, format));
    Ok(Picture {
        format,
        renditions: renditions
            .collect::<Result<_, _>>()
            .map_err(Unusable::Unwritable)?,
    })
}

/// The picture as it is meant to be seen: cameras note how they were held.
fn upright(bytes: &[u8]) -> Result<DynamicImage, Unusable> {
    if bytes.len() > MOST_BYTES {
        return Err(Unusable::TooManyBytes);
    }
    let format = image::guess_format(bytes).ok();
    let format = format.filter(|format| {
        matches!(
            format,
            ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP
        )
    });
    let format = format.ok_or(Unusable::NotAPicture)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(Unusable::Damaged)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MOST_PIXELS || width.max(height) > LONGEST_SIDE {
        return Err(Unusable::TooLarge);
    }
    if width.min(height) < SHORTEST_SIDE {
        return Err(Unusable::TooSmall);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(Unusable::Damaged)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Whether a picture that could be transparent is so nowhere.
fn shines_nowhere(picture: &DynamicImage) -> bool {
    picture.to_rgba8().pixels().all(|pixel| pixel[3] == u8::MAX)
}

/// In which widths something so wide is kept: those that are narrower, and its own or the widest.
fn widths(width: u32) -> Vec<u32> {
    let own = width.min(WIDTHS[WIDTHS.len() - 1]);
    let narrower = WIDTHS.into_iter().filter(|less| *less < own);
    narrower.chain([own]).collect()
}

fn rendition(
    picture: &DynamicImage,
    width: u32,
    format: Format,
) -> Result<Rendition, image::ImageError> {
    let height = u64::from(picture.height()) * u64::from(width) / u64::from(picture.width());
    let height = u32::try_from(height).unwrap_or(u32::MAX).max(1);
    let sized = match width == picture.width() {
        true => picture.clone(),
        false => picture.resize_exact(width, height, FilterType::Lanczos3),
    };
    let mut bytes = Vec::new();
    match format {
        Format::Jpeg => {
            let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
            sized.to_rgb8().write_with_encoder(encoder)?;
        }
        Format::Png => sized
            .to_rgba8()
            .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?,
    }
    Ok(Rendition {
        width,
        height,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut end = Cursor::new(&mut bytes);
        picture.write_to(&mut end, format).unwrap();
        bytes
    }

    fn plain(width: u32, height: u32) -> DynamicImage {
        RgbImage::from_pixel(width, height, Rgb([200, 30, 30])).into()
    }

    fn sizes(picture: &Picture) -> Vec<(u32, u32)> {
        let sizes = picture.renditions.iter().map(|one| (one.width, one.height));
        sizes.collect()
    }

    #[test]
    fn a_picture_is_kept_in_the_sizes_that_are_wanted_and_never_larger() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let picture = read(&file(&plain(1_000, 500), format)).unwrap();
            assert_eq!(sizes(&picture), [(320, 160), (800, 400), (1_000, 500)]);
            assert_eq!(picture.format, Format::Jpeg);
            for one in &picture.renditions {
                let seen = image::load_from_memory(&one.bytes).unwrap();
                assert_eq!((seen.width(), seen.height()), (one.width, one.height));
                let red = seen.to_rgb8().get_pixel(5, 5).0;
                assert!(red[0] > 180 && red[1] < 60, "{red:?}");
            }
        }
        let small = read(&file(&plain(100, 40), ImageFormat::Png)).unwrap();
        assert_eq!(sizes(&small), [(100, 40)]);
        let wide = read(&file(&plain(3_000, 600), ImageFormat::Jpeg)).unwrap();
        assert_eq!(sizes(&wide), [(320, 64), (800, 160), (1_600, 320)]);
    }

    #[test]
    fn what_shines_through_still_does() {
        let glass = RgbaImage::from_pixel(400, 400, Rgba([0, 0, 255, 80]));
        let picture = read(&file(&glass.into(), ImageFormat::Png)).unwrap();
        assert_eq!(picture.format, Format::Png);
        let seen = image::load_from_memory(&picture.renditions[0].bytes).unwrap();
        assert_eq!(seen.to_rgba8().get_pixel(9, 9).0[3], 80);
        let solid = RgbaImage::from_pixel(400, 400, Rgba([0, 0, 255, 255]));
        let picture = read(&file(&solid.into(), ImageFormat::Png)).unwrap();
        assert_eq!(picture.format, Format::Jpeg);
    }

    #[test]
    fn what_is_no_picture_or_lies_about_itself_is_refused() {
        let code = |bytes: &[u8]| read(bytes).unwrap_err().code();
        assert_eq!(code(b""), "NOT_A_PICTURE");
        assert_eq!(code(b"<svg onload='alert(1)'/>"), "NOT_A_PICTURE");
        assert_eq!(code(b"GIF89a and so on"), "NOT_A_PICTURE");
        assert_eq!(code(&vec![0; MOST_BYTES + 1]), "PICTURE_TOO_LARGE");
        let png = file(&plain(64, 64), ImageFormat::Png);
        assert_eq!(code(&png[..png.len() / 2]), "PICTURE_DAMAGED");
        let jpeg = file(&plain(64, 64), ImageFormat::Jpeg);
        assert_eq!(code(&jpeg[..20]), "PICTURE_DAMAGED");
        assert_eq!(
            code(&file(&plain(64, 8), ImageFormat::Png)),
            "PICTURE_TOO_SMALL"
        );
        // A header that promises a hundred thousand by a hundred thousand.
        let mut bomb = png;
        bomb[16..24].copy_from_slice(&[0, 1, 134, 160, 0, 1, 134, 160]);
        let mut crc = Crc(u32::MAX);
        crc.take(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&(!crc.0).to_be_bytes());
        assert_eq!(code(&bomb), "PICTURE_TOO_LARGE");
    }

    /// The check sum of a part of a PNG file.
    struct Crc(u32);

    impl Crc {
        fn take(&mut self, bytes: &[u8]) {
            for byte in bytes {
                self.0 ^= u32::from(*byte);
                for _ in 0..8 {
                    let low = self.0 & 1;
                    self.0 = (self.0 >> 1) ^ (0xEDB8_8320 * low);
                }
            }
        }
    }
}
