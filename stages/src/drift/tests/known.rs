//! Numbers that scipy and numpy gave. `a` and `b` are `numpy.repeat(values, counts)`, `p` and `q` the smoothed shares.

use super::divergence::{Smoothing, jensen_shannon, kl, psi};
use super::two_sample::{chi_square, kolmogorov_smirnov, wasserstein};
use super::*;

/// `scipy.stats.kstwo.sf(d, n)`, in each region of the plane. Above a million elements scipy takes a cruder formula for the tail.
#[test]
fn the_kolmogorov_distribution_is_scipy_s() {
    let known = [
        (1, 0.7, 0.6000000000000001),
        (2, 0.4, 0.82),
        (2, 0.8, 0.07999999999999996),
        (3, 0.2, 0.9982222222222222),
        (5, 0.45, 0.19399374999999963),
        (10, 0.05, 1.0),
        (10, 0.3, 0.27053557479999946),
        (20, 0.55, 3.2861970662280095e-06),
        (100, 0.04, 0.995307510717411),
        (100, 0.1, 0.2526927570063874),
        (140, 0.16, 0.0013440163244194184),
        (140, 0.2, 2.1981563302200222e-05),
        (141, 0.06, 0.6677160791348915),
        (141, 0.1, 0.11128445516467944),
        (141, 0.13, 0.015449346308454497),
        (500, 0.03, 0.7473166700457021),
        (500, 0.07, 0.01416832020019071),
        (2000, 0.02, 0.3953133626892045),
        (2000, 0.04, 0.0032305680961256145),
        (5000, 0.0008, 1.0),
        (30000, 0.002, 0.9997382255446188),
        (30000, 0.006, 0.22938109718664634),
        (100000, 0.001, 0.9999638407940036),
        (100000, 0.0045, 0.034739868616438185),
        (100001, 0.003, 0.32845050055711633),
        (400000, 0.0022, 0.04157191408395322),
        (400000, 0.0028, 0.003769824112741949),
        (4000000, 0.0005, 0.2699103578477806),
        (900000, 0.0019, 0.0030090733769333063),
    ];
    for (n, d, expected) in known {
        let found = kolmogorov::survival(n, d);
        assert!((found - expected).abs() < 1e-9, "n {n}, d {d}: found {found}, expected {expected}");
    }
    assert_eq!((kolmogorov::survival(7, 0.0), kolmogorov::survival(7, 1.0)), (1.0, 0.0));
}

/// What scipy gave for two samples.
struct Known {
    original: Sample,
    current: Sample,
    /// `entropy(p, q)` with half an observation added, then with 1e-10 added to each share.
    kl: [f64; 2],
    /// `((p - q) * log(p / q)).sum()`
    psi: f64,
    /// `jensenshannon(o, c)`
    jensen_shannon: f64,
    /// `ks_2samp(a, b, method="asymp")`
    kolmogorov_smirnov: [f64; 2],
    /// `chi2_contingency([o, c], correction=False)`: statistic, degrees of freedom, p
    chi_square: (f64, u64, f64),
    /// `wasserstein_distance(a, b)`
    wasserstein: f64,
    /// `mean` of both, `median` of both
    centres: [f64; 4],
}

impl Known {
    fn check(&self) {
        let (a, b) = (&self.original, &self.current);
        let classes = Classes::of(a, b);
        close(kl(&classes.original, &classes.current, Smoothing::AddHalf), self.kl[0]);
        close(kl(&classes.original, &classes.current, Smoothing::Epsilon(1e-10)), self.kl[1]);
        close(psi(&classes.original, &classes.current), self.psi);
        close(jensen_shannon(&classes.original, &classes.current), self.jensen_shannon);
        let test = kolmogorov_smirnov(a, b);
        close(test.statistic, self.kolmogorov_smirnov[0]);
        close(test.p_value, self.kolmogorov_smirnov[1]);
        let chi_square = chi_square(&classes);
        close(chi_square.statistic, self.chi_square.0);
        assert_eq!(chi_square.degrees_of_freedom, self.chi_square.1);
        close(chi_square.p_value, self.chi_square.2);
        close(wasserstein(a, b), self.wasserstein);
        let centres = [a.mean(), b.mean(), a.median(), b.median()];
        centres.iter().zip(self.centres).for_each(|(found, expected)| close(found.unwrap(), expected));
    }
}

#[test]
fn distances_of_two_histograms_with_empty_classes_are_scipy_s() {
    Known {
        original: stars(&[4, 9, 0, 30, 21]),
        current: stars(&[7, 3, 2, 11, 0]),
        kl: [0.8008369764085902, 7.0919325807180105],
        psi: 1.416712238230983,
        jensen_shannon: 0.432882978874,
        kolmogorov_smirnov: [0.328125, 0.03938502805324917],
        chi_square: (20.95515287585559, 4, 0.00032321876240638104),
        wasserstein: 1.1202445652173914,
        centres: [3.859375, 2.739130434782609, 4.0, 3.0],
    }
    .check();
}

#[test]
fn distances_of_half_stars_are_scipy_s() {
    let halves = |counts: [u64; 10]| Sample::from_counts((1_u16..).map(|half| f32::from(half) / 2.0).zip(counts));
    Known {
        original: halves([3, 10, 7, 20, 22, 60, 45, 80, 30, 41]),
        current: halves([1, 2, 0, 9, 5, 12, 15, 33, 21, 30]),
        kl: [0.11650730737479174, 0.5023900445502],
        psi: 0.22222075297632715,
        jensen_shannon: 0.18027592367267978,
        kolmogorov_smirnov: [0.1814072327044025, 0.0043051689718227775],
        chi_square: (20.902306747777647, 9, 0.01309132706506884),
        wasserstein: 0.38590801886792453,
        centres: [3.5047169811320753, 3.890625, 3.5, 4.0],
    }
    .check();
}

#[test]
fn distances_over_a_gap_of_values_are_scipy_s() {
    Known {
        original: sample(&[(1.0, 10), (5.0, 3)]),
        current: sample(&[(5.0, 9), (1.0, 2)]),
        kl: [0.6725305066119519, 0.8174491655810163],
        psi: 1.3182072341752433,
        jensen_shannon: 0.4298568032466249,
        kolmogorov_smirnov: [0.5874125874125875, 0.016845978117732505],
        chi_square: (8.223776223776223, 1, 0.004134507669588784),
        wasserstein: 2.34965034965035,
        centres: [1.9230769230769231, 4.2727272727272725, 1.0, 5.0],
    }
    .check();
}

#[test]
fn a_single_value_and_an_empty_sample_have_no_distance() {
    let (one, none) = (stars(&[0, 0, 7]), Sample::default());
    let same = Distance::of(&one, &stars(&[0, 0, 2]), |value| value).unwrap();
    assert_eq!((same.kl_divergence, same.psi, same.jensen_shannon, same.wasserstein), (0.0, 0.0, 0.0, 0.0));
    assert_eq!((same.kolmogorov_smirnov.p_value, same.chi_square.p_value, same.chi_square.degrees_of_freedom), (1.0, 1.0, 0));
    assert!(Distance::of(&one, &none, |value| value).is_none() && Distance::of(&none, &one, |value| value).is_none());
    assert_eq!((kolmogorov_smirnov(&one, &none).p_value, wasserstein(&none, &one)), (1.0, 0.0));
    assert_eq!((none.mean(), none.median(), none.len()), (None, None, 0));
    let classes = Classes::of(&one, &none);
    assert_eq!((chi_square(&classes).p_value, jensen_shannon(&classes.original, &classes.current)), (1.0, 0.0));
}

#[test]
fn samples_are_counted_whatever_their_order_and_sign_of_zero() {
    let counted = Sample::from_values(vec![2.0, -0.0, 1.0, 0.0, 2.0]);
    assert_eq!(counted, sample(&[(2.0, 1), (1.0, 1), (0.0, 2), (2.0, 1), (9.0, 0)]));
    assert_eq!(counted.values(), [0.0, 1.0, 2.0]);
    assert_eq!((counted.len(), counted.median()), (5, Some(1.0)));
    assert_eq!((0..5).map(|rank| counted.at_rank(rank)).collect::<Vec<_>>(), [0.0, 0.0, 1.0, 2.0, 2.0]);
    // numpy.median([1, 2, 4, 5]) == 3
    assert_eq!(stars(&[1, 1, 0, 1, 1]).median(), Some(3.0));
}

#[test]
fn predictions_are_rounded_half_up_and_clipped_to_the_scale() {
    let whole = Scale::of(&stars(&[1, 0, 1, 0, 1])).unwrap();
    let rounded = |scale: &Scale, values: &[f32]| values.iter().map(|&value| scale.round(value)).collect::<Vec<_>>();
    assert_eq!(rounded(&whole, &[-3.0, 1.49, 1.5, 2.5, 3.49, 4.0, 99.0]), [1.0, 1.0, 2.0, 3.0, 3.0, 4.0, 5.0]);
    let halves = Scale::of(&sample(&[(0.5, 1), (5.0, 1)])).unwrap();
    assert_eq!(rounded(&halves, &[0.1, 0.74, 0.75, 3.2, 3.3, 7.0]), [0.5, 0.5, 1.0, 3.0, 3.5, 5.0]);
    // Neither whole nor half, or too long for a table: the ratings themselves.
    let odd = Scale::of(&sample(&[(0.1, 1), (0.2, 1), (0.7, 1)])).unwrap();
    assert_eq!(rounded(&odd, &[0.0, 0.14, 0.16, 0.5, 1.0]), [0.1, 0.1, 0.2, 0.7, 0.7]);
    let long = Scale::of(&sample(&[(-1e30, 1), (0.0, 1), (1e30, 1)])).unwrap();
    assert_eq!(rounded(&long, &[5.0, 1e29, 9e29]), [0.0, 0.0, 1e30]);
    assert_eq!(Scale::of(&Sample::default()), None);
}

#[test]
fn quantiles_are_interpolated_as_by_numpy() {
    // numpy.quantile([1, 2, 4, 8], [0, .1, .5, .9, 1])
    for (share, expected) in [(0.0, 1.0), (0.1, 1.3), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)] {
        close(bootstrap::quantile(&[1.0, 2.0, 4.0, 8.0], share), expected);
    }
}

#[test]
fn unseen_users_and_popularity_by_hand() {
    use super::ids::{IdCounts, PopularityShift, Unseen};
    let counts = |counts: &[(i32, u64)]| counts.iter().copied().collect::<IdCounts>();
    let (before, after) = (counts(&[(1, 5), (2, 5), (3, 10)]), counts(&[(2, 1), (7, 6), (9, 1)]));
    let unseen = Unseen::of(&before, &after);
    assert_eq!((unseen.count, unseen.share, unseen.share_of_ratings), (2, 2.0 / 3.0, 7.0 / 8.0));
    let nobody = Unseen::of(&before, &IdCounts::default());
    assert_eq!((nobody.count, nobody.share, nobody.share_of_ratings), (0, 0.0, 0.0));
    // jensenshannon([5, 5, 10, 0, 0], [0, 1, 0, 6, 1])
    close(PopularityShift::of(&before, &after, 1).jensen_shannon, 0.7574963854730054);
    let same = PopularityShift::of(&before, &counts(&[(1, 500), (2, 500), (3, 1000)]), 1);
    assert!(same.jensen_shannon == 0.0 && same.by_chance < 0.02, "{same:?}");
    let few = PopularityShift::of(&before, &counts(&[(3, 1)]), 1);
    assert!(few.by_chance > 0.3, "one rating lies far from any shares: {few:?}");
}
