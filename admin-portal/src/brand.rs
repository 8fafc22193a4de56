//! A business's colour, made fit to be written on and read, in the light and in the dark.
//!
//! Contrast is reckoned as WCAG 2 does. Whatever colour a business picks, text in it and on it
//! reaches 4.5 to 1, and a filled button can be told from the page.

use berth_tenancy::Tenant;

/// The page's surfaces, as in `portal.css`.
const LIGHT: Color = Color([0xff, 0xff, 0xff]);
const DARK: Color = Color([0x1b, 0x1e, 0x24]);
/// The platform's own colour, for pages that are nobody's.
const OWN: &str = "#1f4b99";

/// What pages of a business look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Brand {
    /// Its name.
    pub(crate) name: String,
    /// The sign beside the name,
    pub(crate) initial: String,
    /// unless there is a logo: its address.
    pub(crate) logo: Option<String>,
    /// In the light.
    pub(crate) light: Palette,
    /// In the dark.
    pub(crate) dark: Palette,
}

/// Colours as CSS writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Palette {
    /// Fills the sign, and lines above pages.
    pub(crate) fill: String,
    /// Is written on the fill.
    pub(crate) ink: String,
    /// Fills buttons.
    pub(crate) button: String,
    /// Is written on buttons.
    pub(crate) button_ink: String,
    /// Links, and what is chosen.
    pub(crate) accent: String,
}

impl Brand {
    /// The brand of a business.
    pub(crate) fn of(tenant: &Tenant) -> Self {
        Self {
            logo: tenant.logo_url.clone(),
            ..Self::new(&tenant.name, &tenant.color, tenant.accent())
        }
    }

    /// The brand of the business `name` whose colours are `color` and, of links and buttons, `accent`, both
    /// `#rrggbb`, without a logo.
    pub(crate) fn new(name: &str, color: &str, accent: &str) -> Self {
        let known = |color: &str| {
            let color = Color::parse(color).or_else(|| Color::parse(OWN));
            color.unwrap_or(Color([0; 3]))
        };
        let (color, accent) = (known(color), known(accent));
        let initial = name.chars().find(|c| c.is_alphanumeric());
        Self {
            name: name.to_owned(),
            initial: initial.map_or_else(String::new, |c| c.to_uppercase().collect()),
            logo: None,
            light: Palette::on(color, accent, LIGHT),
            dark: Palette::on(color, accent, DARK),
        }
    }

    /// The platform's own.
    pub(crate) fn own() -> Self {
        Self::new("Berth", OWN, OWN)
    }
}

impl Palette {
    fn on(color: Color, accent: Color, surface: Color) -> Self {
        let fill = color.until(surface, 3.0);
        let button = accent.until(surface, 3.0);
        Self {
            fill: fill.css(),
            ink: fill.ink().css(),
            button: button.css(),
            button_ink: button.ink().css(),
            // A little more than needed, because the ground around a surface is greyer.
            accent: accent.until(surface, 5.2).css(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Color([u8; 3]);

impl Color {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let mut parts = [0_u8; 3];
        hex::decode_to_slice(digits, &mut parts).ok()?;
        Some(Self(parts))
    }

    fn css(self) -> String {
        format!("#{}", hex::encode(self.0))
    }

    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let share = f64::from(part) / 255.0;
            if share <= 0.040_45 {
                share / 12.92
            } else {
                ((share + 0.055) / 1.055).powf(2.4)
            }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Black or white, whichever can be read better on it. One of them always reaches 4.5.
    fn ink(self) -> Self {
        let (black, white) = (Self([0; 3]), Self([255; 3]));
        if self.contrast(white) >= self.contrast(black) {
            white
        } else {
            black
        }
    }

    /// The colour, moved away from `surface` as little as it takes to stand out by `ratio`.
    fn until(self, surface: Self, ratio: f64) -> Self {
        let toward = surface.ink();
        (0..=20_u16)
            .map(|step| self.mix(toward, step))
            .find(|color| color.contrast(surface) >= ratio)
            .unwrap_or(toward)
    }

    /// `step` twentieths of the way to `other`.
    fn mix(self, other: Self, step: u16) -> Self {
        let part = |at: usize| {
            let (from, to) = (u16::from(self.0[at]), u16::from(other.0[at]));
            u8::try_from((from * (20 - step) + to * step) / 20).unwrap_or(u8::MAX)
        };
        Self([part(0), part(1), part(2)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_colour_everything_can_be_read() {
        for part in 0..=0xf_u32 {
            for other in 0..=0xf_u32 {
                let color = format!(
                    "#{:02x}{:02x}{:02x}",
                    part * 17,
                    other * 17,
                    (part * other) % 256
                );
                let brand = Brand::new("x", OWN, &color);
                let plain = Brand::new("x", &color, OWN);
                for (palette, surface) in [(&plain.light, LIGHT), (&plain.dark, DARK)] {
                    let [fill, ink] =
                        [&palette.fill, &palette.ink].map(|text| Color::parse(text).unwrap());
                    assert!(ink.contrast(fill) >= 4.5, "{color}: {ink:?} on {fill:?}");
                    assert!(fill.contrast(surface) >= 3.0, "{color}: {fill:?}");
                }
                for (palette, surface) in [(&brand.light, LIGHT), (&brand.dark, DARK)] {
                    let [fill, ink, accent] =
                        [&palette.button, &palette.button_ink, &palette.accent]
                            .map(|text| Color::parse(text).unwrap());
                    assert!(ink.contrast(fill) >= 4.5, "{color}: {ink:?} on {fill:?}");
                    assert!(fill.contrast(surface) >= 3.0, "{color}: {fill:?}");
                    assert!(accent.contrast(surface) >= 4.5, "{color}: {accent:?}");
                }
            }
        }
    }

    #[test]
    fn a_colour_that_will_do_is_left_alone() {
        let brand = Brand::new("Alpha Clinic", "#1f4b99", "#9a3412");
        assert_eq!(
            (brand.light.fill.as_str(), brand.light.ink.as_str()),
            ("#1f4b99", "#ffffff")
        );
        assert_eq!(
            (brand.light.button.as_str(), brand.light.accent.as_str()),
            ("#9a3412", "#9a3412")
        );
        assert_eq!(brand.initial, "A");
    }

    #[test]
    fn text_that_is_no_colour_never_reaches_the_style() {
        for hostile in [
            "",
            "red",
            "#12",
            "#12345g",
            "#1f4b99;}body{display:none",
            "url(//x)",
        ] {
            assert_eq!(
                Brand::new("x", hostile, hostile).light,
                Brand::own().light,
                "{hostile}"
            );
        }
    }
}
