//! What cancelling gives back.

use berth_catalog::CancellationTier;
use berth_kernel::{Currency, Money};
use jiff::Timestamp;

/// What is given back of `price` when cancelling at `now` something that starts at `starts_at`:
/// the share of the first tier whose hours are still to go, counted to the second and rounded up to
/// what can be paid; nothing if none.
#[must_use]
pub fn refund(
    policy: &[CancellationTier],
    price: Money,
    starts_at: Timestamp,
    now: Timestamp,
) -> Money {
    let seconds_left = starts_at.as_second() - now.as_second();
    let tier = policy
        .iter()
        .find(|tier| seconds_left >= i64::from(tier.hours_before) * 3_600);
    tier.map_or(Money::new(0, price.currency), |tier| {
        let share = price.share(tier.refund_percent.min(100) * 100);
        share.up_to_payable()
    })
}

/// Whether cancelling at `now` gives back less than cancelling in good time would have.
#[must_use]
pub fn costs(policy: &[CancellationTier], starts_at: Timestamp, now: Timestamp) -> bool {
    let whole = Money::new(10_000, Currency::EUR);
    let best = policy.iter().map(|tier| tier.refund_percent).max();
    best.is_some_and(|best| {
        refund(policy, whole, starts_at, now).amount < i64::from(best.min(100)) * 100
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tier_that_is_still_reached_decides() {
        let policy = [
            CancellationTier {
                hours_before: 48,
                refund_percent: 100,
            },
            CancellationTier {
                hours_before: 24,
                refund_percent: 50,
            },
        ];
        let price = Money::new(9_999, Currency::EUR);
        let starts_at = Timestamp::from_second(1_000_000).unwrap();
        let given = |hours: i64, seconds: i64| {
            let now = Timestamp::from_second(1_000_000 - hours * 3_600 - seconds).unwrap();
            refund(&policy, price, starts_at, now).amount
        };
        assert_eq!(given(48, 0), 9_999);
        assert_eq!(given(48, -1), 5_000);
        assert_eq!(given(24, 0), 5_000);
        assert_eq!(given(24, -1), 0);
        let now = Timestamp::from_second(1_000_000 - 24 * 3_600).unwrap();
        let dinar = Money::new(5_110, "KWD".parse().unwrap());
        assert_eq!(refund(&policy, dinar, starts_at, now).amount, 2_560);
        let costly = |hours: i64| {
            let now = Timestamp::from_second(1_000_000 - hours * 3_600).unwrap();
            (costs(&policy, starts_at, now), costs(&[], starts_at, now))
        };
        assert_eq!((costly(48), costly(47)), ((false, false), (true, false)));
        assert_eq!(
            refund(&[], price, starts_at, Timestamp::UNIX_EPOCH).amount,
            0
        );
    }
}
