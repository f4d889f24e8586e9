//! What hides divergences: rules and waivers; and the traffic that nobody declared.

use askama::Template;

use super::endpoint::NearbyTraffic;
use super::words::{Count, day};
use super::{Frame, Links};
use crate::report::{RuleReport, WaiverReport};

#[derive(Debug, Template)]
#[template(path = "rules.html", blocks = ["content"])]
pub struct RulesPage {
    pub frame: Frame,
    pub rules: Vec<RuleRow>,
    pub waivers: Vec<WaiverRow>,
    pub undeclared: Vec<NearbyTraffic>,
}

#[derive(Clone, Debug)]
pub struct RuleRow {
    pub rule: String,
    pub applied: Count,
    pub hidden: Count,
    /// Why a person should look at it; empty where there is no reason.
    pub remark: &'static str,
}

#[derive(Clone, Debug)]
pub struct WaiverRow {
    pub group: String,
    /// Empty where the group is not in the report.
    pub link: String,
    /// Empty of a group that was never seen here.
    pub endpoint: String,
    pub call: &'static str,
    pub owner: String,
    pub reason: String,
    pub until: String,
    pub exchanges: Count,
    pub compared: Count,
    pub remark: &'static str,
}

impl From<&RuleReport> for RuleRow {
    fn from(rule: &RuleReport) -> Self {
        Self {
            rule: rule.tally.rule.clone(),
            applied: Count(rule.tally.applied),
            hidden: Count(rule.tally.hidden),
            remark: rule.remark.map_or("", crate::report::RuleRemark::as_str),
        }
    }
}

impl WaiverRow {
    /// `is_shown` says whether there is a page of the group.
    pub fn new(waiver: &WaiverReport, links: Links, is_shown: bool) -> Self {
        let group = waiver.group.to_string();
        Self {
            link: if is_shown { links.group(&group) } else { String::new() },
            group,
            endpoint: waiver.endpoint.as_ref().map(ToString::to_string).unwrap_or_default(),
            call: waiver.call.as_str(),
            owner: waiver.owner.clone(),
            reason: waiver.reason.clone(),
            until: waiver.expires.map(day).unwrap_or_default(),
            exchanges: Count(waiver.exchanges),
            compared: Count(waiver.compared),
            remark: waiver.remark.map_or("", crate::report::WaiverRemark::as_str),
        }
    }
}
