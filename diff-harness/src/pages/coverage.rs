//! Which kinds of requests were compared, and which were declared and were not.

use std::collections::BTreeSet;

use super::words::Count;
use crate::lifecycle::Declaration;
use crate::store::{Observed, ShapeTally};

const SHAPES: usize = 50;

#[derive(Clone, Debug, Default)]
pub struct Coverage {
    pub shapes: Vec<ShapeRow>,
    pub shapes_left_out: Count,
    /// Declared parameters and statuses that no comparison had.
    pub not_seen: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct ShapeRow {
    pub shape: String,
    pub compared: Count,
    pub mismatched: Count,
}

impl Coverage {
    pub fn of(declaration: &Declaration, observed: &Observed) -> Self {
        let mut shapes: Vec<&ShapeTally> = observed.shapes.iter().collect();
        shapes.sort_by_key(|shape| std::cmp::Reverse(shape.compared));
        let names = |shape: &&ShapeTally| -> Vec<String> {
            let lists = shape.shape.split_whitespace().filter_map(|word| word.strip_prefix('?'));
            lists.flat_map(|list| list.split(',')).map(str::to_owned).collect()
        };
        let seen: BTreeSet<_> = shapes.iter().flat_map(names).collect();
        let query = declaration.parameters.iter().filter(|parameter| parameter.place == "query");
        let parameters =
            query.filter(|query| !seen.contains(&query.name)).map(|query| format!("?{}", query.name));
        // `200` is one status, `4XX` a class; `default` says nothing of which.
        let is_seen = |declared: &str| match declared.parse::<u16>() {
            Ok(declared) => observed.statuses.iter().any(|(status, _)| *status == declared),
            Err(_) => declared.chars().next().and_then(|class| class.to_digit(10)).is_none_or(|class| {
                observed.statuses.iter().any(|(status, _)| u32::from(*status) / 100 == class)
            }),
        };
        let statuses = declaration
            .statuses
            .iter()
            .filter(|status| !is_seen(status))
            .map(|status| format!("status {status}"));
        let not_seen = parameters.chain(statuses).collect();
        let left_out = shapes.len().saturating_sub(SHAPES);
        let row = |shape: &ShapeTally| ShapeRow {
            shape: shape.shape.clone(),
            compared: Count(shape.compared),
            mismatched: Count(shape.mismatched),
        };
        Self {
            not_seen,
            shapes: shapes.into_iter().take(SHAPES).map(row).collect(),
            shapes_left_out: Count(left_out as u64),
        }
    }
}
