-- Which households of a county get 低保 (dibao), which persons 特困 (tekun), and where must somebody look, as of
-- 2020-06-30 in Jiangmen (Guangdong)? One plain query over the store's evidence tables, written from the law alone.
--
-- It stands for a county where every feed has answered for everybody and the application says who everybody is, so it
-- knows nothing of consent and coverage: no row means a known nothing. Amounts are whole fen. A quotient is never
-- built: comparisons are multiplied out (HUGEINT), and the only division is the rounding of an award. Booleans are
-- three-valued, as SQL has them: NULL = unknown, a known failure decides, what stays unknown is referred. (An
-- aggregate passes over NULL, so "all" is written: false if any is false, true if none is unknown.)
--
-- Result: case_id · programme · member (null for a household) · outcome · award_fen (null unless eligible)
--
-- Articles: 令649 = 社会救助暂行办法 (State Council order 649); 220号 = 民发〔2012〕220号; 178号 = 民发〔2016〕178号;
-- 262号 = 粤府令262号; 2019-9 = 粤民规字〔2019〕9号; 2018-4 = 粤民规字〔2018〕4号.

with
-- Figures of the day: 低保 standard 900 a month city-wide (notice of 2020-03-30), 特困 basic living 17 280 a year =
-- 1 440 a month, minimum wage 1 550 (粤府函〔2018〕187号), window of 6 months (262号), ceiling of 24 standards (2019-9).
law as (
  select date '2020-06-30' as today, 90000::hugeint as standard, 144000::hugeint as tekun_basic,
    155000::hugeint as minimum_wage, 6 as months, 24 as ceiling_months),

-- Everybody of every application, with the window of whole months before the month of application (262号).
people as (
  select u.request, u.case_id, p.position, p.role, p.person, p.id, p.relation, p.sex, p.born_on, p.supports,
    p.lives_together, p.can_live_independently, p.is_excused_from_work,
    coalesce(u.reference_day, law.today) as reference_day,
    date_trunc('month', u.applied_on) - to_months(law.months) as window_from,
    date_trunc('month', u.applied_on) as window_end,
    date_sub('year', p.born_on, law.today) as age
  from units u join unit_persons p on p.request = u.request, law),
who as (
  select distinct request, person, reference_day, window_from, window_end from people),

-- ---- facts about a person on the day -------------------------------------------------------------------------

-- Dead: from the day of death on.
dead as (
  select distinct w.request, w.person from who w join feed_deaths d on d.person = w.person, law
  where d.died_on <= law.today),

-- Absences that last on the day; of one (kind, since) the latest message counts.
away as (
  select request, person, bool_or(kind = 'prison') as in_prison, bool_or(kind = 'missing') as is_missing,
    bool_or(kind = 'clergy' and since + to_months(36) <= today) as is_long_clergy
  from (
    select w.request, w.person, a.kind, a.since, a.until, law.today
    from who w join feed_absences a on a.person = w.person, law
    where coalesce(a.as_of, w.reference_day) <= w.reference_day
    qualify rank() over (partition by w.request, w.person, a.kind, a.since
                         order by coalesce(a.as_of, w.reference_day) desc) = 1)
  where since <= today and (until is null or until >= today)
  group by request, person),

-- Full-time study up to undergraduate on the day.
student as (
  select distinct request, person
  from (
    select w.request, w.person, s.*, law.today from who w join feed_school s on s.person = w.person, law
    where coalesce(s.as_of, w.reference_day) <= w.reference_day
    qualify rank() over (partition by w.request, w.person order by coalesce(s.as_of, w.reference_day) desc) = 1)
  where mode = 'full_time' and level <> 'postgraduate'
    and enrolled_on <= today and (left_on is null or left_on >= today)),

-- The disability certificate: severe = grade 1–2; 178号 (no labour) = intellectual or mental 1–2, limb 1.
disabled as (
  select request, person, bool_or(grade in ('1', '2')) as is_severe,
    bool_or(grade = '3' and kind in ('intellectual', 'mental')) as is_third_mental,
    bool_or((kind in ('intellectual', 'mental') and grade in ('1', '2')) or (kind = 'limb' and grade = '1')) as is_178
  from (
    select w.request, w.person, d.*, law.today from who w join feed_disability d on d.person = w.person, law
    where coalesce(d.as_of, w.reference_day) <= w.reference_day
    qualify rank() over (partition by w.request, w.person order by coalesce(d.as_of, w.reference_day) desc) = 1)
  where valid_to is null or valid_to >= today
  group by request, person),

ill as (
  select distinct request, person
  from (
    select w.request, w.person, s.*, law.today from who w join feed_serious_illness s on s.person = w.person, law
    where coalesce(s.as_of, w.reference_day) <= w.reference_day
    qualify rank() over (partition by w.request, w.person, s.diagnosis_group
                         order by coalesce(s.as_of, w.reference_day) desc) = 1)
  where (recognised_on is null or recognised_on <= today) and (valid_to is null or valid_to >= today)),

-- Labour capacity as last appraised.
weak as (
  select distinct request, person
  from (
    select w.request, w.person, c.capacity from who w join feed_labour_capacity c on c.person = w.person
    where coalesce(c.as_of, c.appraised_on, w.reference_day) <= w.reference_day
    qualify rank() over (partition by w.request, w.person
                         order by coalesce(c.as_of, c.appraised_on, w.reference_day) desc) = 1)
  where capacity in ('partial', 'none')),

-- Work registered, and whether an offer of work was refused.
job as (
  select request, person, bool_or(status in ('employed', 'flexible')) as is_working,
    bool_or(status = 'not_able') as is_not_able, bool_or(status = 'registered_unemployed') as is_looking
  from (
    select w.request, w.person, e.status from who w join feed_employment e on e.person = w.person
    where coalesce(e.as_of, w.reference_day) <= w.reference_day
    qualify rank() over (partition by w.request, w.person order by coalesce(e.as_of, w.reference_day) desc) = 1)
  group by request, person),
refused as (
  select distinct w.request, w.person from who w join feed_work_offers o on o.person = w.person, law
  where o.refused and o.offered_on <= law.today),

-- Statuses held on the day.
status as (
  select request, person, bool_or(programme = 'tekun') as holds_tekun, bool_or(programme = 'dibao') as holds_dibao,
    bool_or(programme in ('tekun', 'wubao', 'urban_sanwu', 'orphan', 'unsupported_child', 'dibao', 'dibao_margin',
                          'return_to_poverty_monitored')) as holds_any
  from (
    select w.request, w.person, s.programme, s."from" as since, s.until, law.today
    from who w join feed_relief_status s on s.person = w.person, law
    where coalesce(s.as_of, w.reference_day) <= w.reference_day
    qualify rank() over (partition by w.request, w.person, s.programme
                         order by coalesce(s.as_of, w.reference_day) desc) = 1)
  where since <= today and (until is null or until >= today)
  group by request, person),

-- ---- who belongs to the family (220号 Art. 5) -----------------------------------------------------------------

-- Spouse; minor children; children who cannot live on their own, students up to undergraduate among them; others who
-- owe support and live there. Not: the dead, prisoners, clergy away for three years.
applicants as (
  select p.*, d.person is null and not coalesce(a.in_prison, false) and not coalesce(a.is_long_clergy, false) and (
      p.relation in ('head', 'spouse')
      or (p.relation = 'child' and (p.age < 18 or s.person is not null or not p.can_live_independently))
      or (p.lives_together and p.relation <> 'other')) as is_member,
    s.person is not null as is_student, coalesce(a.is_missing, false) as is_missing,
    coalesce(g.is_severe, false) as is_severe, coalesce(g.is_third_mental, false) as is_third_mental,
    coalesce(t.holds_tekun, false) as holds_tekun, coalesce(t.holds_dibao, false) as holds_dibao,
    coalesce(t.holds_any, false) as holds_any,
    -- 178号, no labour: 60 or more, under 16, intellectual or mental grade 1–2, limb grade 1.
    p.age >= 60 or p.age < 16 or coalesce(g.is_178, false) as has_no_labour
  from people p
  left join dead d using (request, person) left join away a using (request, person)
  left join student s using (request, person) left join disabled g using (request, person)
  left join status t using (request, person)
  where p.role = 'member'),

-- ---- income of a person over the window (220号 Art. 16; 262号: the higher of declared and checked) --------------

-- Declared: the latest of each item.
declared_rows as (
  select w.request, w.person, d.item, d.amount_fen from who w join feed_declaration d on d.person = w.person
  where coalesce(d.as_of, w.reference_day) <= w.reference_day
  qualify rank() over (partition by w.request, w.person, d.item
                       order by coalesce(d.as_of, w.reference_day) desc) = 1),
declared as (
  select request, person,
    sum(amount_fen) filter (item = 'wages') as wages, sum(amount_fen) filter (item = 'business') as business,
    sum(amount_fen) filter (item = 'property') as property, sum(amount_fen) filter (item = 'transfer') as transfer,
    sum(amount_fen) filter (item = 'other') as other,
    sum(amount_fen) filter (item = 'bank_deposits.balance') as deposits,
    sum(amount_fen) filter (item = 'securities.value') as securities,
    sum(amount_fen) filter (item = 'insurance_policies.cash_value') as policies,
    sum(amount_fen) filter (item = 'wallets.balance') as wallets
  from declared_rows group by request, person),

tax as (
  select w.request, w.person,
    sum(t.amount_fen) filter (t.item = 'wages') as wages,
    sum(t.amount_fen) filter (t.item in ('labour', 'royalties')) as labour,
    sum(t.amount_fen) filter (t.item = 'business') as business,
    sum(t.amount_fen) filter (t.item in ('interest', 'rent', 'transfer')) as property,
    sum(t.amount_fen) filter (t.item = 'incidental') as other,
    case when count(*) = count(t.tax_fen) then sum(t.tax_fen) end as tax_paid
  from who w join feed_tax_income t on t.person = w.person
  where t.month >= w.window_from and t.month < w.window_end
  group by w.request, w.person),
payroll as (
  select w.request, w.person, sum(f.amount_fen) as pay from who w join feed_public_payroll f on f.person = w.person
  where f.month >= w.window_from and f.month < w.window_end
  group by w.request, w.person),
-- The survey's amounts are totals over the window; of each item the latest visit counts.
survey_rows as (
  select w.request, w.person, f.item, f.amount_fen from who w join feed_field_survey f on f.person = w.person
  where coalesce(f.as_of, f.surveyed_on, w.reference_day) <= w.reference_day
  qualify rank() over (partition by w.request, w.person, f.item
                       order by coalesce(f.as_of, f.surveyed_on, w.reference_day) desc) = 1),
survey as (
  select request, person,
    sum(amount_fen) filter (item = 'odd_jobs') as odd_jobs,
    sum(amount_fen) filter (item in ('farming', 'livestock')) as farm,
    sum(amount_fen) filter (item = 'rent') as rent,
    sum(amount_fen) filter (item = 'collective_dividend') as dividend,
    sum(amount_fen) filter (item = 'land_compensation') as land,
    sum(amount_fen) filter (item = 'living_condition_adjustment') as adjustment
  from survey_rows group by request, person),
collective as (
  select w.request, w.person, sum(c.amount_fen) filter (c.kind = 'dividend') as dividend,
    sum(c.amount_fen) filter (c.kind = 'land_compensation') as land
  from who w join feed_collective_income c on c.person = w.person
  where c.paid_on >= w.window_from and c.paid_on < w.window_end
  group by w.request, w.person),
-- Transfer income (220号 Art. 16); preferential treatment, awards, aid to students and care allowances are not income.
pension as (
  select w.request, w.person, sum(f.amount_fen) as received from who w join feed_pensions_paid f on f.person = w.person
  where f.month >= w.window_from and f.month < w.window_end
    and f.kind in ('employee_pension', 'office_pension', 'resident_basic_pension', 'survivor_allowance',
                   'unemployment_benefit', 'retired_military_pension', 'injury_benefit')
  group by w.request, w.person),
-- 220号 Art. 16: disposable, so after income tax and one's own part of social insurance.
insured as (
  select w.request, w.person, case when count(*) = count(f.personal_paid_fen) then sum(f.personal_paid_fen) end as paid
  from who w join feed_social_insurance f on f.person = w.person
  where f.month >= w.window_from and f.month < w.window_end and f.scheme in ('pension', 'medical', 'unemployment')
  group by w.request, w.person),

found as (
  select a.*, law.*,
    greatest(coalesce(t.wages, 0), coalesce(r.pay, 0)) + coalesce(t.labour, 0) + coalesce(v.odd_jobs, 0) as found_wages,
    coalesce(t.business, 0) + coalesce(v.farm, 0) as found_business,
    coalesce(t.property, 0) + coalesce(v.rent, 0) + greatest(coalesce(c.dividend, 0), coalesce(v.dividend, 0))
      + greatest(coalesce(c.land, 0), coalesce(v.land, 0)) as found_property,
    coalesce(n.received, 0) as found_transfer, coalesce(t.other, 0) as found_other,
    case when t.person is null then 0 else t.tax_paid end + case when i.person is null then 0 else i.paid end
      as paid_out, coalesce(v.adjustment, 0) as adjustment,
    d.wages as declared_wages, d.business as declared_business, d.property as declared_property,
    d.transfer as declared_transfer, d.other as declared_other
  from applicants a
  left join tax t using (request, person) left join payroll r using (request, person)
  left join survey v using (request, person) left join collective c using (request, person)
  left join pension n using (request, person) left join insured i using (request, person)
  left join declared d using (request, person), law),

-- 262号: somebody able, of working age (16 to 60, a woman to 50) and no student who does not work without good reason
-- counts at the minimum wage. Good reasons: not able by the register, looking for work and refusing none, or the
-- officer's word; registered as without work, or refusing it, is no reason; where neither register nor officer says
-- anything it is unknown.
worker as (
  select f.*,
    f.age >= 16 and f.age < case f.sex when 'male' then 60 when 'female' then 50 end
      and not f.is_student and not f.is_severe and not f.is_third_mental and w.person is null and i.person is null
      as is_able,
    f.found_wages > 0 or f.found_business > 0 or coalesce(j.is_working, false) as is_working,
    case when f.is_excused_from_work or j.is_not_able or (j.is_looking and r.person is null) then true
         when j.person is not null then false
         else f.is_excused_from_work end as is_excused
  from found f
  left join weak w using (request, person) left join ill i using (request, person)
  left join job j using (request, person) left join refused r using (request, person)),
income as (
  select *,
    case when is_imputed then greatest(own_labour, minimum_wage * months)
         when not is_imputed or own_labour >= minimum_wage * months then own_labour end as labour_income,
    greatest(found_property, coalesce(declared_property, 0)) + greatest(found_transfer, coalesce(declared_transfer, 0))
      + greatest(found_other, coalesce(declared_other, 0)) - paid_out as other_income
  from (
    select *, is_able and not is_working and not is_excused as is_imputed,
      greatest(found_wages, coalesce(declared_wages, 0)) + greatest(found_business, coalesce(declared_business, 0))
        as own_labour
    from worker)),

-- ---- persons outside who owe support --------------------------------------------------------------------------

supporters as (
  select s.request, s.person, s.supports, f.relation, f.born_on, f.agreed_amount_fen, f.received_amount_fen,
    f.civil_capacity, date_sub('year', f.born_on, law.today) as age
  from people s
  join people m on m.request = s.request and m.role = 'member'
  join feed_supporters f on f.person = m.person
  join persons id on id.person = s.person and id.id_number = f.supporter_id, law
  where s.role = 'supporter' and coalesce(f.as_of, s.reference_day) <= s.reference_day
  qualify row_number() over (partition by s.request, s.person
                             order by coalesce(f.as_of, s.reference_day) desc, f.digest) = 1),
supported as (
  select s.request, s.person as supporter, a.person, a.is_member
  from supporters s join applicants a on a.request = s.request and list_contains(string_split(s.supports, ','), a.id)),

-- Agreed, or what is really received if that is more (each supporter once, whoever of the family he supports).
support as (
  select request, sum(greatest(agreed_amount_fen, received_amount_fen)) * any_value(law.months) as received
  from supporters s, law
  where exists (select 1 from supported e where e.request = s.request and e.supporter = s.person and e.is_member)
  group by request),

-- 178号, unable to support: 特困 himself; 低保 and 60 or severely disabled; without civil capacity, missing or in
-- prison. Somebody under age is not yet bound.
outside as (
  select s.request, s.person,
    coalesce(t.holds_tekun, false) or (coalesce(t.holds_dibao, false) and (s.age >= 60 or coalesce(g.is_severe, false)))
      or s.civil_capacity = 'none' or coalesce(a.is_missing, false) or coalesce(a.in_prison, false) or s.age < 18
      as is_unable
  from supporters s
  left join status t using (request, person) left join disabled g using (request, person)
  left join away a using (request, person)),

-- ---- property of a person (2019-9: the same lines for 低保; used for 特困 too) -----------------------------------

deposits as (
  select request, person, sum(balance_fen) as amount
  from (
    select w.request, w.person, f.balance_fen from who w join feed_bank_deposits f on f.person = w.person
    where coalesce(f.as_of, w.reference_day) <= w.reference_day
    qualify rank() over (partition by w.request, w.person, f.bank_code, f.account_token
                         order by coalesce(f.as_of, w.reference_day) desc) = 1)
  group by request, person),
securities as (
  select request, person, sum(value_fen) as amount
  from (
    select w.request, w.person, f.value_fen from who w join feed_securities f on f.person = w.person
    where coalesce(f.as_of, w.reference_day) <= w.reference_day
    qualify rank() over (partition by w.request, w.person, f.institution, f.account_token, f.instrument
                         order by coalesce(f.as_of, w.reference_day) desc) = 1)
  group by request, person),
policies as (
  select request, person, sum(cash_value_fen) as amount
  from (
    select w.request, w.person, f.cash_value_fen, f.role
    from who w join feed_insurance_policies f on f.person = w.person
    where coalesce(f.as_of, w.reference_day) <= w.reference_day
    qualify rank() over (partition by w.request, w.person, f.institution, f.policy_token, f.role
                         order by coalesce(f.as_of, w.reference_day) desc) = 1)
  where role = 'holder'
  group by request, person),
wallets as (
  select request, person, sum(balance_fen) as amount
  from (
    select w.request, w.person, f.balance_fen from who w join feed_wallets f on f.person = w.person
    where coalesce(f.as_of, w.reference_day) <= w.reference_day
    qualify rank() over (partition by w.request, w.person, f.institution, f.account_token
                         order by coalesce(f.as_of, w.reference_day) desc) = 1)
  group by request, person),

-- What the office found about a doubtful row: confirmed counts, explained or disregarded drops out.
verdicts as (
  select request, person, feed, row_ref, bool_or(verdict = 'confirmed') as is_confirmed
  from (
    select w.request, w.person, f.feed, f.row_ref, f.verdict
    from who w join feed_findings f on f.person = w.person
    where coalesce(f.as_of, f.decided_on, w.reference_day) <= w.reference_day
    qualify rank() over (partition by w.request, w.person, f.feed, f.row_ref
                         order by coalesce(f.as_of, f.decided_on, w.reference_day) desc) = 1)
  group by request, person, feed, row_ref),

-- Rows that would be against the family if they are right. One dwelling is nothing to look into, a second one is; an
-- uninhabited old house is not counted; land is none.
estate as (
  select w.request, w.person, f.use, f.digest from who w join feed_real_estate f on f.person = w.person
  where coalesce(f.as_of, w.reference_day) <= w.reference_day
  qualify rank() over (partition by w.request, w.person, f.right_token
                       order by coalesce(f.as_of, w.reference_day) desc) = 1
    and coalesce(f.status, 'owned') in ('owned', 'sealed')
    and not (f.use = 'residential' and coalesce(f.condition, 'normal') = 'uninhabited')),
-- Dwellings: those that may be the person's (not explained or disregarded) and those the office has confirmed.
dwellings as (
  select e.request, e.person, count(*) filter (coalesce(v.is_confirmed, true)) as possible,
    count(*) filter (v.is_confirmed) as certain
  from estate e
  left join verdicts v on v.request = e.request and v.person = e.person and v.feed = 'real_estate'
    and v.row_ref = lower(left(hex(e.digest), 16))
  where e.use = 'residential' group by e.request, e.person),
adverse as (
  select request, person, 'real_estate' as feed, digest from estate where use in ('commercial', 'industrial')
  union all
  -- No motor vehicle or ship but motorcycle, electric bicycle, vehicle for the disabled; a farm machine is none.
  (select w.request, w.person, 'vehicles', f.digest from who w join feed_vehicles f on f.person = w.person
   where coalesce(f.as_of, w.reference_day) <= w.reference_day
   qualify rank() over (partition by w.request, w.person, f.vehicle_token
                        order by coalesce(f.as_of, w.reference_day) desc) = 1
     and coalesce(f.status, 'normal') <> 'scrapped' and f.vehicle_class in ('car', 'small_goods', 'large', 'ship'))
  union all
  -- No business, but the shop a couple runs without employees, and membership of a cooperative for poverty relief.
  (select w.request, w.person, 'business_registration', f.digest
   from who w join feed_business_registration f on f.person = w.person
   where coalesce(f.as_of, w.reference_day) <= w.reference_day
   qualify rank() over (partition by w.request, w.person, f.credit_code, f.role
                        order by coalesce(f.as_of, w.reference_day) desc) = 1
     and coalesce(f.status, 'open') in ('open', 'suspended')
     and not coalesce(f.is_couple_run and f.employees = 0, false)
     and not coalesce(f.is_relief_coop and f.role = 'coop_member', false))),
-- Per person and register: one confirmed row decides; a row nobody has looked at leaves it open.
clear_of as (
  select a.request, a.person, a.feed,
    case when bool_or(v.is_confirmed) then false when bool_or(v.is_confirmed is null) then null else true end
      as is_clear
  from adverse a
  left join verdicts v on v.request = a.request and v.person = a.person and v.feed = a.feed
    and v.row_ref = lower(left(hex(a.digest), 16))
  group by a.request, a.person, a.feed),

means as (
  select i.*,
    -- 262号: the higher of declared and checked, item by item
    greatest(coalesce(b.amount, 0), coalesce(d.deposits, 0))
      + greatest(coalesce(s.amount, 0), coalesce(d.securities, 0))
      + greatest(coalesce(p.amount, 0), coalesce(d.policies, 0))
      + greatest(coalesce(w.amount, 0), coalesce(d.wallets, 0)) as assets,
    coalesce(h.possible, 0) as possible_dwellings, coalesce(h.certain, 0) as certain_dwellings,
    case when e.person is null then true else e.is_clear end as no_non_residential,
    case when v.person is null then true else v.is_clear end as no_vehicle,
    case when r.person is null then true else r.is_clear end as no_business
  from income i
  left join declared d using (request, person) left join deposits b using (request, person)
  left join securities s using (request, person) left join policies p using (request, person)
  left join wallets w using (request, person) left join dwellings h using (request, person)
  left join clear_of e on e.request = i.request and e.person = i.person and e.feed = 'real_estate'
  left join clear_of v on v.request = i.request and v.person = i.person and v.feed = 'vehicles'
  left join clear_of r on r.request = i.request and r.person = i.person and r.feed = 'business_registration'),

-- ---- 特困 (令649 Art. 14; 178号) --------------------------------------------------------------------------------

grade as (
  select request, person, max(items_failed) as items_failed
  from (
    select w.request, w.person, f.items_failed from who w join feed_self_care_assessments f on f.person = w.person
    where coalesce(f.as_of, f.assessed_on, w.reference_day) <= w.reference_day
    qualify rank() over (partition by w.request, w.person
                         order by coalesce(f.as_of, f.assessed_on, w.reference_day) desc) = 1)
  group by request, person),
-- What each supporter gives is income of those he supports, in equal shares; in sixtieths, so that it stays whole.
own_support as (
  select e.request, e.person,
    sum(greatest(s.agreed_amount_fen, s.received_amount_fen) * (60 // len(string_split(s.supports, ',')))) as sixtieths
  from supported e join supporters s on s.request = e.request and s.person = e.supporter
  group by e.request, e.person),
-- A relative in the family who could support: head, spouse, child or parent, of age, and not unable in the words used for
-- those outside; 178号 Art. 8 (1): one who meets the conditions himself (labour and means) is unable too.
relatives as (
  select m.request, m.person,
    m.relation in ('head', 'spouse', 'child', 'parent') and m.age >= 18 and not m.is_missing
      and not (m.has_no_labour
        and (m.labour_income + m.other_income) * 60 + coalesce(y.sixtieths, 0) * m.months < m.standard * m.months * 60)
      and not m.holds_tekun and not (m.holds_dibao and (m.age >= 60 or m.is_severe)) as is_able_relative
  from means m left join own_support y using (request, person) where m.is_member),
tekun_tests as (
  select m.request, m.case_id, m.person, m.id, m.is_member,
    m.has_no_labour
    -- no living source: own income below the 低保 standard, property within the province's lines
    and (m.labour_income + m.other_income) * 60 + coalesce(y.sixtieths, 0) * m.months < m.standard * m.months * 60
    and m.assets <= m.ceiling_months * m.standard
    and case when m.certain_dwellings > 1 then false when m.possible_dwellings <= 1 then true end
    and m.no_non_residential and m.no_vehicle and m.no_business
    -- nobody able to support him
    and not exists (
      select 1 from relatives r where r.request = m.request and r.person <> m.person and r.is_able_relative)
    and (
      select case when count(*) filter (not o.is_unable) > 0 then false when count(o.is_unable) = count(*) then true end
      from supported e join outside o on o.request = e.request and o.person = e.supporter
      where e.request = m.request and e.person = m.person)
    and m.is_member as is_tekun,
    -- 2018-4: 2, 30 or 60 % of the minimum wage by how many of six acts fail; no grade made, no care subsidy yet
    m.tekun_basic * 100 + m.minimum_wage * case when g.items_failed is null then 0 when g.items_failed = 0 then 2
      when g.items_failed <= 3 then 30 else 60 end as award_in_percent_of_fen
  from means m left join grade g using (request, person) left join own_support y using (request, person)),

-- ---- 低保 (令649 Art. 9, 12; 220号 Art. 4, 27; 262号; 2019-9) -----------------------------------------------------

-- An application of which nobody is left as a member has no income a head: unknown, so referred.
homes as (
  select request, count(*) as size, sum(labour_income + other_income + adjustment) as own_income,
    count(*) filter (labour_income is null) as unknown_incomes, sum(assets) as assets,
    case when sum(certain_dwellings) > 1 then false when sum(possible_dwellings) <= 1 then true end
      as at_most_one_dwelling,
    case when bool_or(not no_non_residential) then false when count(no_non_residential) = count(*) then true end
      as no_non_residential,
    case when bool_or(not no_vehicle) then false when count(no_vehicle) = count(*) then true end
      as no_vehicle,
    case when bool_or(not no_business) then false when count(no_business) = count(*) then true end
      as no_business
  from means where is_member group by request),
-- 特困 goes before 低保: a family all of whom get it gives way.
all_tekun as (
  select request, case when bool_or(not is_tekun) then false when count(is_tekun) = count(*) then true end
    as is_all_tekun
  from tekun_tests where is_member group by request),
dibao_tests as (
  select u.request, u.case_id, h.size, law.standard, law.months, t.is_all_tekun,
    -- unknown if any member's is (greatest() would pass over a null); never below nothing
    case when h.unknown_incomes = 0 then greatest(h.own_income + coalesce(s.received, 0), 0) end as total_income
  from units u left join homes h using (request) left join support s using (request)
  left join all_tekun t using (request), law),
dibao as (
  select t.*,
    -- 令649 Art. 9: income a head *below* the standard
    total_income < t.standard * t.months * t.size
    and h.assets <= law.ceiling_months * t.standard * t.size
    and h.at_most_one_dwelling and h.no_non_residential and h.no_vehicle and h.no_business
    and not t.is_all_tekun as is_dibao,
    t.standard * t.months * t.size - total_income as gap
  from dibao_tests t left join homes h using (request), law),

-- ---- 医疗救助 of 2020: the ratio of the provincial provisional rule was not found -----------------------------------

bills as (
  select request, person, sum(in_scope_fen - basic_paid_fen - serious_paid_fen - other_paid_fen) as self_paid
  from (
    select w.request, f.*, law.today from who w join feed_medical_settlements f on f.person = w.person, law
    where f.reverses is null and not exists (
      select 1 from feed_medical_settlements r where r.person = f.person and r.reverses = f.settlement_no))
  where settled_on between date_trunc('year', today) and today
  group by request, person),

results as (
  select d.case_id, 'dibao' as programme, null as member, d.is_dibao as decided,
    (d.gap * 2 + d.months) // (2 * d.months) as award
  from dibao d
  union all
  select case_id, 'tekun', id, is_tekun, (award_in_percent_of_fen * 2 + 100) // 200 from tekun_tests
  union all
  -- Covered: by a status held, by 特困, or by 低保 as one of the family. Without bills there is nothing to relieve; with
  -- them nobody can say how much.
  select t.case_id, 'medical_relief', t.id,
    case when coalesce(b.self_paid, 0) <= 0 then false
         when (m.is_member and m.holds_any) or coalesce(t.is_tekun, true) or (m.is_member and coalesce(d.is_dibao, true)) then null
         else false end, null
  from tekun_tests t join means m using (request, person) left join dibao d using (request)
  left join bills b using (request, person))

select case_id, programme, member,
  case when decided then 'eligible' when decided is null then 'refer' else 'ineligible' end as outcome,
  case when decided then award::bigint end as award_fen
from results
order by case_id, programme, member nulls first
