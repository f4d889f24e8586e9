//! Decisions on groups: who may make them, and what became of it.

use diff_harness::divergence::Severity;
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::UnixMillis;
use diff_harness::fingerprint::Fingerprint;
use diff_harness::lifecycle::Stage;
use diff_harness::store::{DecisionsOf, EpochFilter, GroupFilter, GroupListing, StoreError, Took};
use diff_harness::triage::{
    self, Act, Call, Decided, Decision, Entry, Part, Predicate, State, Triaged, Waiver, Waivers, Weighed,
    Wish, check,
};

use diff_harness::triage::masks::Waived;

use super::{Control, Refusal};

/// A wish to decide on a group.
#[derive(Clone, Debug)]
pub struct Decide {
    pub group: Fingerprint,
    pub call: Call,
    pub reason: String,
    pub owner: String,
    pub expires: Option<UnixMillis>,
    /// The candidate epoch with the fix; the current one where it is left out.
    pub epoch: Option<String>,
    /// See [`Wish::expected`].
    pub expected: Option<u64>,
    pub actor: String,
}

/// A wish to change what a group is, or to take something back: a reason is welcome and not required.
#[derive(Clone, Debug)]
pub struct Regroup {
    pub group: Fingerprint,
    pub reason: String,
    /// See [`Wish::expected`].
    pub expected: Option<u64>,
    pub actor: String,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Triage {
    pub entry: Entry,
    /// The group it was about as it stands now; after a split, the part; after a join, the group that has it back.
    pub group: Option<(Triaged, State)>,
}

impl Control {
    pub fn decide(&self, wish: &Decide) -> Result<Triage, Refusal> {
        (self.effects.flush)();
        let known = self.known(&wish.group)?;
        let now = self.now();
        let decision = Decision {
            group: wish.group.clone(),
            call: wish.call,
            actor: wish.actor.clone(),
            owner: wish.owner.trim().to_owned(),
            reason: wish.reason.trim().to_owned(),
            expires: wish.expires,
            epoch: wish.epoch.clone().unwrap_or_else(|| (self.effects.epoch)().candidate.clone()),
            at: now,
        };
        let overridden_by = self.overridden_by(&known.group.endpoint)?;
        check(&decision, known.group.severity, &overridden_by, now)?;
        let act = Act::Decide {
            call: decision.call,
            owner: decision.owner,
            expires: decision.expires,
            epoch: decision.epoch,
        };
        self.append(Wish {
            group: decision.group,
            act,
            actor: decision.actor,
            reason: decision.reason,
            at: now,
            expected: wish.expected,
        })
    }

    /// Takes the decision that counts back. Who may not waive may not bring a waiver back either.
    pub fn undo(&self, wish: &Regroup) -> Result<Triage, Refusal> {
        (self.effects.flush)();
        let known = self.known(&wish.group)?;
        let log = self.store.decisions(DecisionsOf::Group(&wish.group), usize::MAX)?;
        let taken_back: Vec<_> = log.iter().filter_map(|entry| entry.takes_back).collect();
        let counting = log.iter().filter(|entry| !taken_back.contains(&entry.sequence));
        let before = counting.filter_map(Entry::decision).nth(1);
        if before.is_some_and(|decision| decision.call.is_waiver()) {
            self.may_waive(&known.group.endpoint, &wish.actor)?;
        }
        self.append(wish.of(Act::Undo, self.now()))
    }

    /// Makes a part of a group a group of its own, on which nobody has decided.
    pub fn split(&self, wish: &Regroup, predicate: Predicate) -> Result<Triage, Refusal> {
        (self.effects.flush)();
        self.known(&wish.group)?;
        self.append(wish.of(Act::Split(predicate), self.now()))
    }

    /// Gives a part back to its group. Where the group is waived, that waives the part.
    pub fn join(&self, wish: &Regroup) -> Result<Triage, Refusal> {
        (self.effects.flush)();
        let known = self.known(&wish.group)?;
        if let Some(part) = &known.part {
            // Not asked for as a group: all that was seen of it may be in the part.
            let decided = self.store.in_force()?.into_iter().map(|decided| decided.decision);
            if decided.into_iter().any(|decision| decision.group == part.of && decision.call.is_waiver()) {
                self.may_waive(&known.group.endpoint, &wish.actor)?;
            }
        }
        self.append(wish.of(Act::Join, self.now()))
    }

    /// The waivers that hold, and all parts, for a proxy or a CI job elsewhere.
    pub fn waivers(&self) -> Result<Waivers, StoreError> {
        Ok(Waivers::of(self.store.in_force()?, self.store.parts()?, self.now()))
    }

    /// Takes over waivers that were decided elsewhere, all or none of them; what came of each. Those that have ended are
    /// left out. Who decided there is bound by what they did here, and so is who takes them over.
    pub fn import_waivers(
        &self,
        actor: &str,
        waivers: &Waivers,
    ) -> Result<Vec<(Fingerprint, Took)>, Refusal> {
        (self.effects.flush)();
        let (now, epoch) = (self.now(), (self.effects.epoch)().candidate.clone());
        let wish = |group: &Fingerprint, act, actor: String, reason: &str| Wish {
            group: group.clone(),
            act,
            actor,
            reason: reason.to_owned(),
            at: now,
            expected: None,
        };
        let split = |(_, part): &(Fingerprint, Part)| {
            wish(&part.of, Act::Split(part.predicate.clone()), actor.to_owned(), "imported")
        };
        let parts: Vec<_> = waivers.parts.iter().map(split).collect();
        let mut wishes = Vec::new();
        for waiver in waivers.waivers.iter().filter(|waiver| waiver.expires > now) {
            self.may_import(waiver, &waivers.parts, actor)?;
            let act = Act::Decide {
                call: waiver.call,
                owner: waiver.owner.clone(),
                expires: Some(waiver.expires),
                epoch: epoch.clone(),
            };
            let by = match waiver.actor.as_str() {
                "" => actor.to_owned(),
                decided if decided == actor => actor.to_owned(),
                decided => format!("{actor} for {decided}"),
            };
            wishes.push(wish(&waiver.group, act, by, &waiver.reason));
        }
        let took = self.store.import(&parts, &wishes)?;
        for entry in
            took.iter().filter_map(|took| if let Took::Added(entry) = took { Some(entry) } else { None })
        {
            let Wish { group, act, actor, reason, .. } = &entry.wish;
            tracing::info!(%group, act = act.as_str(), actor, reason, sequence = entry.sequence, "imported");
        }
        Ok(wishes.into_iter().map(|wish| wish.group).zip(took).collect())
    }

    fn may_import(&self, waiver: &Waiver, parts: &[(Fingerprint, Part)], actor: &str) -> Result<(), Refusal> {
        // A part that was never seen here is a part of a group that may have been.
        let mut group = &waiver.group;
        let known = loop {
            match (self.store.group(group)?, parts.iter().find(|(id, _)| id == group)) {
                (Some(known), _) => break known,
                (None, Some((_, part))) => group = &part.of,
                // Nothing is known of it here that could speak against it.
                (None, None) => return Ok(()),
            }
        };
        if waiver.call == Call::Noise && known.severity == Severity::Exposure {
            return Err(triage::Refusal::ExposureAsNoise.into());
        }
        self.may_waive(&known.endpoint, actor)?;
        // `ci for ada`: each of them.
        waiver.actor.split(" for ").try_for_each(|decided| self.may_waive(&known.endpoint, decided))
    }

    /// Groups with their states.
    pub fn triaged(&self, filter: &GroupFilter<'_>) -> Result<Vec<(Triaged, State)>, StoreError> {
        Ok(self.store.triaged(filter)?.into_iter().map(|group| self.with_state(group)).collect())
    }

    pub fn triaged_group(&self, group: &Fingerprint) -> Result<Option<(Triaged, State)>, StoreError> {
        Ok(self.store.triaged_group(group)?.map(|group| self.with_state(group)))
    }

    /// The groups of the current epoch, by whether they keep their endpoints from moving.
    pub fn weighed(&self, endpoint: Option<&EndpointId>) -> Result<Weighed, StoreError> {
        let epoch = (self.effects.epoch)();
        let groups = self.store.triaged(&GroupFilter {
            endpoint,
            epoch: EpochFilter::Only(&epoch),
            least_severity: None,
            limit: usize::MAX,
        })?;
        Ok(triage::weigh(groups, |endpoint| self.enough(endpoint), self.now()))
    }

    /// The waivers that hold, with what there was of their groups in the current epoch.
    pub fn waived(&self) -> Result<Vec<Waived>, StoreError> {
        let epoch = (self.effects.epoch)();
        let now = self.now();
        let holds = |decided: &Decided| {
            decided.decision.call.is_waiver() && decided.decision.expires.is_some_and(|end| end > now)
        };
        let groups: Vec<_> =
            self.store.in_force()?.into_iter().filter(holds).map(|decided| decided.decision.group).collect();
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let tallies = self.store.tallies(EpochFilter::Only(&epoch))?;
        let here = self.store.list_groups(&GroupListing::only(&groups, &epoch))?;
        let mut waived = Vec::new();
        for fingerprint in groups {
            // Of a group that was never seen here nobody knows of which endpoint it is.
            let Some(group) = self.store.group(&fingerprint)? else { continue };
            let compared = tallies.iter().find(|(of, _)| of.as_ref() == Some(&group.endpoint));
            let found = here.groups.iter().find(|triaged| triaged.group.fingerprint == fingerprint);
            waived.push(Waived {
                enough: self.enough(&group.endpoint),
                group: fingerprint,
                endpoint: group.endpoint,
                compared: compared.map_or(0, |(_, tally)| tally.compared()),
                exchanges: found.map_or(0, |triaged| triaged.group.exchanges),
            });
        }
        Ok(waived)
    }

    /// Newest first.
    pub fn decisions(&self, of: DecisionsOf<'_>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.store.decisions(of, limit)
    }

    fn append(&self, wish: Wish) -> Result<Triage, Refusal> {
        let whole = match &wish.act {
            Act::Join => self.store.triaged_group(&wish.group)?.and_then(|part| part.part),
            _ => None,
        };
        let entry = self.store.decide(&wish)?;
        let Wish { group, act, actor, reason, .. } = &entry.wish;
        tracing::info!(%group, act = act.as_str(), actor, reason, sequence = entry.sequence, "decided");
        let shown = match (&entry.part, &whole) {
            (Some(part), _) => part,
            (None, Some(whole)) => &whole.of,
            (None, None) => group,
        };
        let group = self.triaged_group(shown)?;
        Ok(Triage { entry, group })
    }

    fn with_state(&self, group: Triaged) -> (Triaged, State) {
        let state = group.state(self.enough(&group.group.endpoint), self.now());
        (group, state)
    }

    fn known(&self, group: &Fingerprint) -> Result<Triaged, Refusal> {
        let known = self.store.triaged_group(group)?;
        known.ok_or_else(|| triage::Refusal::UnknownGroup(group.clone()).into())
    }

    fn may_waive(&self, endpoint: &EndpointId, actor: &str) -> Result<(), Refusal> {
        if self.overridden_by(endpoint)?.iter().any(|by| by == actor) {
            return Err(triage::Refusal::OwnOverride(actor.to_owned()).into());
        }
        Ok(())
    }

    /// Who forced this endpoint through the gate since it last stood at `legacy`.
    fn overridden_by(&self, endpoint: &EndpointId) -> Result<Vec<String>, StoreError> {
        let transitions = self.store.transitions(Some(endpoint), usize::MAX)?;
        let since = transitions.into_iter().take_while(|transition| {
            transition.flip.to.stage != Stage::Legacy || transition.from.stage == Stage::Legacy
        });
        let forced = since.filter(|transition| transition.flip.forced);
        Ok(forced.map(|transition| transition.flip.actor).collect())
    }
}

impl Regroup {
    fn of(&self, act: Act, at: UnixMillis) -> Wish {
        Wish {
            group: self.group.clone(),
            act,
            actor: self.actor.clone(),
            reason: self.reason.trim().to_owned(),
            at,
            expected: self.expected,
        }
    }
}
