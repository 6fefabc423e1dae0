-- Generated from schemas/feeds by python -m meanscheck.contracts.generate. Do not edit.

-- 服刑、强制隔离戒毒、失踪、服役、出家信息: Absences by which the law excludes a person from the household.
create table feed_absences (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "kind" varchar not null check ("kind" in ('prison', 'compulsory_detox', 'missing', 'military', 'clergy')),
  "since" date,
  "until" date,
  "as_of" date
);
comment on column feed_absences."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_absences."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_absences."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_absences."kind" is '离家原因: Reason of the absence. (sensitive)';
comment on column feed_absences."since" is '离家日期: First day of the absence. (sensitive)';
comment on column feed_absences."until" is '返回日期: Last day, where known; it may lie ahead. (sensitive)';
comment on column feed_absences."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 银行存款信息: Bank accounts and balances.
create table feed_bank_deposits (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "bank_code" varchar,
  "account_token" varchar,
  "account_kind" varchar check ("account_kind" in ('current', 'term', 'other')),
  "balance_fen" bigint not null,
  "outflow_6m_fen" bigint,
  "as_of" date
);
comment on column feed_bank_deposits."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_bank_deposits."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_bank_deposits."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_bank_deposits."bank_code" is '银行代码: Code of the bank. (personal) [JR/T 0124 (financial institution codes)]';
comment on column feed_bank_deposits."account_token" is '账户标识: Account, as a token of the bank, not the account number. (sensitive)';
comment on column feed_bank_deposits."account_kind" is '账户类型: Kind of account. (personal)';
comment on column feed_bank_deposits."balance_fen" is '账户余额: Balance on the day. (sensitive)';
comment on column feed_bank_deposits."outflow_6m_fen" is '近6个月转出金额: Sum of what left the account in the six months before the day. (sensitive)';
comment on column feed_bank_deposits."as_of" is '余额日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 市场主体登记信息: Firms and businesses in which a person has a part.
create table feed_business_registration (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "credit_code" varchar,
  "entity_type" varchar,
  "business_line" varchar,
  "role" varchar not null check ("role" in ('legal_representative', 'shareholder', 'sole_trader', 'partner', 'coop_member')),
  "contribution_fen" bigint,
  "employees" bigint,
  "is_couple_run" boolean,
  "is_relief_coop" boolean,
  "status" varchar check ("status" in ('open', 'suspended', 'revoked', 'deregistered')),
  "as_of" date
);
comment on column feed_business_registration."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_business_registration."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_business_registration."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_business_registration."credit_code" is '统一社会信用代码: Unified social credit code, or the registration number of before 2015. (internal) [GB 32100-2015]';
comment on column feed_business_registration."entity_type" is '市场主体类型: Type of entity. (internal)';
comment on column feed_business_registration."business_line" is '经营范围: Line of business. (internal) [GB/T 4754-2017]';
comment on column feed_business_registration."role" is '任职角色: Role of the person. (personal)';
comment on column feed_business_registration."contribution_fen" is '出资额: Contribution of the person. (sensitive)';
comment on column feed_business_registration."employees" is '雇工人数: Employees of the firm. (internal)';
comment on column feed_business_registration."is_couple_run" is '是否夫妻店: Whether a couple runs it alone. (personal)';
comment on column feed_business_registration."is_relief_coop" is '是否扶贫合作社: Whether it is a cooperative set up for poverty relief. (personal)';
comment on column feed_business_registration."status" is '经营状态: State of the firm. (personal)';
comment on column feed_business_registration."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 办理环节信息: Steps of the procedure, for its clocks.
create table feed_case_events (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "application_no" varchar not null,
  "step" varchar not null check ("step" in ('accepted', 'authorised', 'commissioned', 'reported', 'objection', 'recheck', 'survey', 'first_opinion', 'publicised', 'confirmed', 'notified', 'paid', 'stopped', 'change_reported', 'grace_confirmed')),
  "on" date not null,
  "organisation" varchar,
  "officer" varchar,
  "as_of" date
);
comment on column feed_case_events."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_case_events."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_case_events."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_case_events."application_no" is '申请编号: Number of the application. (personal)';
comment on column feed_case_events."step" is '办理环节: Step of the procedure. (personal)';
comment on column feed_case_events."on" is '办理日期: Day of the step. (personal)';
comment on column feed_case_events."organisation" is '办理单位: Who did it. (internal)';
comment on column feed_case_events."officer" is '经办人: Officer, as a staff number. (personal)';
comment on column feed_case_events."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 集体分红、征地补偿信息: Dividends of the village collective and compensation for land taken.
create table feed_collective_income (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "paid_on" date not null,
  "kind" varchar not null check ("kind" in ('dividend', 'land_compensation')),
  "amount_fen" bigint not null,
  "payment_no" varchar,
  "as_of" date
);
comment on column feed_collective_income."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_collective_income."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_collective_income."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_collective_income."paid_on" is '分红补偿发放日期: Day of payment. (personal)';
comment on column feed_collective_income."kind" is '集体收入类型: Kind of payment. (personal)';
comment on column feed_collective_income."amount_fen" is '分红补偿金额: Amount paid. (sensitive)';
comment on column feed_collective_income."payment_no" is '兑付流水号: Sender''s number of the payment. (internal)';
comment on column feed_collective_income."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 死亡、火化信息: Deaths and cremations.
create table feed_deaths (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "died_on" date not null,
  "as_of" date
);
comment on column feed_deaths."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_deaths."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_deaths."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_deaths."died_on" is '死亡日期: Day of death; of cremation where only that is known. (sensitive)';
comment on column feed_deaths."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 家庭经济状况申报信息: What the applicant declared.
create table feed_declaration (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "item" varchar not null check ("item" in ('wages', 'business', 'property', 'transfer', 'other', 'bank_deposits.balance', 'securities.value', 'insurance_policies.cash_value', 'wallets.balance', 'vehicles', 'real_estate', 'business_registration')),
  "amount_fen" bigint not null,
  "as_of" date
);
comment on column feed_declaration."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_declaration."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_declaration."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_declaration."item" is '申报项目: A kind of income, a money column of a feed, or a feed whose rows are counted. (personal)';
comment on column feed_declaration."amount_fen" is '申报金额: Income: the total over the reckoning window before the application. Property: the amount. Vehicles, real estate and businesses: how many. (sensitive)';
comment on column feed_declaration."as_of" is '申报日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 残疾人证信息: Disability certificates.
create table feed_disability (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "kind" varchar not null check ("kind" in ('vision', 'hearing', 'speech', 'limb', 'intellectual', 'mental', 'multiple')),
  "grade" varchar not null check ("grade" in ('1', '2', '3', '4')),
  "certificate_no" varchar,
  "valid_to" date,
  "as_of" date
);
comment on column feed_disability."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_disability."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_disability."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_disability."kind" is '残疾类别: Kind of disability. (sensitive) [GB/T 26341-2010; GB/T 2261.3-2003]';
comment on column feed_disability."grade" is '残疾等级: Grade, 1 the most severe. (sensitive) [GB/T 26341-2010]';
comment on column feed_disability."certificate_no" is '残疾人证号: Number of the certificate. (sensitive)';
comment on column feed_disability."valid_to" is '有效期至: Last day of validity. (personal)';
comment on column feed_disability."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 就业登记信息: Registered employment.
create table feed_employment (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "status" varchar not null check ("status" in ('employed', 'flexible', 'registered_unemployed', 'unregistered', 'not_able')),
  "public_welfare_post" boolean,
  "since" date,
  "as_of" date
);
comment on column feed_employment."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_employment."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_employment."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_employment."status" is '就业状态: State of employment. (personal) [GB/T 2261.4-2003]';
comment on column feed_employment."public_welfare_post" is '是否公益性岗位: Whether it is a public welfare post. (personal)';
comment on column feed_employment."since" is '就业登记日期: First day of the state. (personal)';
comment on column feed_employment."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 出入境信息: Travel abroad: a hint only, never a ground by itself.
create table feed_entry_exit (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "crossed_on" date not null,
  "direction" varchar not null check ("direction" in ('exit', 'entry')),
  "destination" varchar,
  "port" varchar,
  "as_of" date
);
comment on column feed_entry_exit."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_entry_exit."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_entry_exit."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_entry_exit."crossed_on" is '出入境日期: Day of the crossing. (sensitive)';
comment on column feed_entry_exit."direction" is '出入境标识: Out or in. (sensitive)';
comment on column feed_entry_exit."destination" is '前往地: Where to or from. (sensitive) [GB/T 2659]';
comment on column feed_entry_exit."port" is '口岸: Border post. (sensitive)';
comment on column feed_entry_exit."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 惠农补贴发放信息: Agricultural subsidies paid.
create table feed_farm_subsidies (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "month" date not null,
  "kind" varchar not null,
  "amount_fen" bigint not null,
  "payment_no" varchar
);
comment on column feed_farm_subsidies."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_farm_subsidies."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_farm_subsidies."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_farm_subsidies."month" is '补贴发放月份: Calendar month the row belongs to. (personal)';
comment on column feed_farm_subsidies."kind" is '补贴项目: Kind of subsidy. (personal)';
comment on column feed_farm_subsidies."amount_fen" is '补贴金额: Subsidy. (sensitive)';
comment on column feed_farm_subsidies."payment_no" is '补贴流水号: Sender''s number of the payment. (internal)';

-- 承包地信息: Contracted farmland.
create table feed_farmland (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "area_cm2" bigint not null,
  "use" varchar,
  "parcel_token" varchar,
  "as_of" date
);
comment on column feed_farmland."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_farmland."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_farmland."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_farmland."area_cm2" is '承包地面积: Area in square metres; a header in 亩 is reckoned at 10000/15 square metres. (personal)';
comment on column feed_farmland."use" is '土地用途: Use of the land. (personal)';
comment on column feed_farmland."parcel_token" is '地块编码: Parcel, as a token of the sender. (personal)';
comment on column feed_farmland."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 入户调查信息: What the home visit found; the only source of livelihood use and value of a vehicle.
create table feed_field_survey (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "item" varchar not null check ("item" in ('odd_jobs', 'farming', 'livestock', 'rent', 'collective_dividend', 'land_compensation', 'remittance', 'housing_use', 'vehicle_use', 'vehicle_value', 'annual_income', 'living_condition_adjustment')),
  "amount_fen" bigint,
  "basis" varchar,
  "surveyed_on" date not null,
  "surveyor_org" varchar,
  "as_of" date
);
comment on column feed_field_survey."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_field_survey."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_field_survey."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_field_survey."item" is '调查项目: Item surveyed. (personal)';
comment on column feed_field_survey."amount_fen" is '调查金额: Income found: the total over the reckoning window before the application. Only the adjustment for living conditions may be negative. (sensitive)';
comment on column feed_field_survey."basis" is '认定依据: On what the figure rests, or the use found. (personal)';
comment on column feed_field_survey."surveyed_on" is '调查日期: Day of the visit. (personal)';
comment on column feed_field_survey."surveyor_org" is '调查单位: Who visited. (internal)';
comment on column feed_field_survey."as_of" is '数据日期: Day on which the row was true; left out: `surveyed_on`. (internal)';

-- 疑点核实结果: What the office found when it looked into a doubtful point (疑点).
create table feed_findings (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "feed" varchar not null,
  "row_ref" varchar not null,
  "verdict" varchar not null check ("verdict" in ('confirmed', 'explained', 'disregarded')),
  "reason_code" varchar,
  "evidence_ref" varchar,
  "decided_on" date not null,
  "officer" varchar,
  "as_of" date
);
comment on column feed_findings."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_findings."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_findings."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_findings."feed" is '疑点数据类别: Name of the feed of the doubtful row. (internal)';
comment on column feed_findings."row_ref" is '疑点记录标识: First 16 hexadecimal characters of the digest of the doubtful row. (internal)';
comment on column feed_findings."verdict" is '核实结论: Confirmed: counts; explained or disregarded (核减后视为无): drops out. (personal)';
comment on column feed_findings."reason_code" is '核实理由代码: Code of the reason. (internal)';
comment on column feed_findings."evidence_ref" is '佐证材料编号: Reference of the supporting paper. (internal)';
comment on column feed_findings."decided_on" is '核实日期: Day of the verdict. (personal)';
comment on column feed_findings."officer" is '核实人员: Officer, as a staff number. (personal)';
comment on column feed_findings."as_of" is '数据日期: Day on which the row was true; left out: `decided_on`. (internal)';

-- 户籍登记信息: Who is registered in which household, and where.
create table feed_household_register (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "household_no" varchar,
  "relation" varchar check ("relation" in ('head', 'spouse', 'child', 'parent', 'grandparent', 'grandchild', 'sibling', 'child_in_law', 'parent_in_law', 'other')),
  "sex" varchar check ("sex" in ('male', 'female')),
  "born_on" date,
  "hukou_type" varchar check ("hukou_type" in ('agricultural', 'non_agricultural', 'unified')),
  "division_code" varchar,
  "status" varchar not null check ("status" in ('active', 'moved_out', 'cancelled')),
  "registered_on" date,
  "as_of" date
);
comment on column feed_household_register."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_household_register."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_household_register."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_household_register."household_no" is '户号: Number of the household register. (personal)';
comment on column feed_household_register."relation" is '与户主关系: Relation to the head of the household. (personal) [GB/T 4761-2008]';
comment on column feed_household_register."sex" is '性别: Sex. (personal) [GB/T 2261.1-2003]';
comment on column feed_household_register."born_on" is '出生日期: Day of birth. (personal) [GB/T 7408]';
comment on column feed_household_register."hukou_type" is '户口性质: Kind of registration; `unified` since the reform that ended the distinction. (personal)';
comment on column feed_household_register."division_code" is '户籍地行政区划: Place, as a six-digit county code or a twelve-digit statistical division code. (personal) [GB/T 2260-2007; statistical division code (12 digits)]';
comment on column feed_household_register."status" is '户籍状态: Whether the registration stands. (personal)';
comment on column feed_household_register."registered_on" is '户籍登记日期: Day of the registration. (personal)';
comment on column feed_household_register."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 住房公积金信息: Housing fund deposits and balance.
create table feed_housing_fund (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "month" date not null,
  "deposit_fen" bigint not null,
  "personal_part_fen" bigint,
  "balance_fen" bigint,
  "account_token" varchar
);
comment on column feed_housing_fund."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_housing_fund."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_housing_fund."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_housing_fund."month" is '汇缴月份: Calendar month the row belongs to. (personal)';
comment on column feed_housing_fund."deposit_fen" is '月缴存额: Deposit of the month, both parts. (sensitive)';
comment on column feed_housing_fund."personal_part_fen" is '个人缴存额: Part of the employee. (sensitive)';
comment on column feed_housing_fund."balance_fen" is '公积金余额: Balance at the end of the month. (sensitive)';
comment on column feed_housing_fund."account_token" is '公积金账号: Account, as a token of the sender. (sensitive)';

-- 商业保险信息: Commercial insurance policies.
create table feed_insurance_policies (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "kind" varchar check ("kind" in ('life', 'annuity', 'investment', 'other')),
  "role" varchar check ("role" in ('holder', 'insured', 'beneficiary')),
  "premium_fen" bigint,
  "payer" varchar,
  "cash_value_fen" bigint not null,
  "institution" varchar,
  "policy_token" varchar,
  "as_of" date
);
comment on column feed_insurance_policies."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_insurance_policies."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_insurance_policies."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_insurance_policies."kind" is '保险类别: Kind of policy. (personal)';
comment on column feed_insurance_policies."role" is '保单角色: Role of the person in the policy. (personal)';
comment on column feed_insurance_policies."premium_fen" is '年缴保费: Premium per year. (sensitive)';
comment on column feed_insurance_policies."payer" is '保费缴纳人: Who pays the premium, as the insurer names the role (holder, employer, government). (personal)';
comment on column feed_insurance_policies."cash_value_fen" is '现金价值: Cash value on the day. (sensitive)';
comment on column feed_insurance_policies."institution" is '保险公司: Insurer. (personal)';
comment on column feed_insurance_policies."policy_token" is '保单标识: Policy, as a token of the insurer. (sensitive)';
comment on column feed_insurance_policies."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 劳动能力鉴定信息: Capacity to work as appraised.
create table feed_labour_capacity (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "capacity" varchar not null check ("capacity" in ('full', 'partial', 'none')),
  "appraised_on" date,
  "as_of" date
);
comment on column feed_labour_capacity."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_labour_capacity."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_labour_capacity."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_labour_capacity."capacity" is '劳动能力: Capacity to work. (sensitive)';
comment on column feed_labour_capacity."appraised_on" is '鉴定日期: Day of the appraisal. (personal)';
comment on column feed_labour_capacity."as_of" is '数据日期: Day on which the row was true; left out: `appraised_on`. (internal)';

-- 婚姻登记信息: Marital status by the marriage register.
create table feed_marriages (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "status" varchar not null check ("status" in ('single', 'married', 'divorced', 'widowed')),
  "spouse_id" varchar,
  "registered_on" date,
  "as_of" date
);
comment on column feed_marriages."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_marriages."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_marriages."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_marriages."status" is '婚姻状况: Marital status. (sensitive) [GB/T 2261.2-2003]';
comment on column feed_marriages."spouse_id" is '配偶身份证号: Identity number of the spouse. (sensitive)';
comment on column feed_marriages."registered_on" is '婚姻登记日期: Day of the registration. (personal)';
comment on column feed_marriages."as_of" is '数据日期: Day on which the row was true; left out: `registered_on`. (internal)';

-- 医保参保信息: Enrolment in medical insurance.
create table feed_medical_enrolment (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "insured_in" varchar not null,
  "category" varchar,
  "subsidised" boolean,
  "from" date,
  "until" date,
  "as_of" date
);
comment on column feed_medical_enrolment."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_medical_enrolment."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_medical_enrolment."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_medical_enrolment."insured_in" is '参保地: Place of the insurance. (personal) [GB/T 2260-2007]';
comment on column feed_medical_enrolment."category" is '参保类型: Kind of enrolment, as the insurance names it. (personal)';
comment on column feed_medical_enrolment."subsidised" is '是否资助参保: Whether the contribution is paid by public funds. (personal)';
comment on column feed_medical_enrolment."from" is '参保开始日期: First day of the cover. (personal)';
comment on column feed_medical_enrolment."until" is '参保结束日期: Last day of the cover; it may lie ahead. (personal)';
comment on column feed_medical_enrolment."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 医保结算信息: Settlements of medical insurance, payer by payer.
create table feed_medical_settlements (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "settlement_no" varchar not null,
  "reverses" varchar,
  "settled_on" date not null,
  "care" varchar check ("care" in ('inpatient', 'special_outpatient', 'outpatient')),
  "diagnosis_group" varchar,
  "division_code" varchar,
  "total_fen" bigint,
  "in_scope_fen" bigint,
  "basic_paid_fen" bigint,
  "serious_paid_fen" bigint,
  "other_paid_fen" bigint,
  "relief_paid_fen" bigint,
  "as_of" date
);
comment on column feed_medical_settlements."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_medical_settlements."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_medical_settlements."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_medical_settlements."settlement_no" is '结算编号: Number of the settlement. (personal)';
comment on column feed_medical_settlements."reverses" is '冲正原结算编号: Number of the settlement that this one takes back. (personal)';
comment on column feed_medical_settlements."settled_on" is '结算日期: Day of the settlement. (personal)';
comment on column feed_medical_settlements."care" is '医疗类别: Kind of care. (sensitive)';
comment on column feed_medical_settlements."diagnosis_group" is '疾病诊断分组: Group of the illness. (sensitive)';
comment on column feed_medical_settlements."division_code" is '就医地区划: Place, as a six-digit county code or a twelve-digit statistical division code. (personal) [GB/T 2260-2007; statistical division code (12 digits)]';
comment on column feed_medical_settlements."total_fen" is '医疗费总额: Whole cost. (sensitive)';
comment on column feed_medical_settlements."in_scope_fen" is '政策范围内费用: Cost within the scope of the insurance. (sensitive)';
comment on column feed_medical_settlements."basic_paid_fen" is '基本医保支付: Paid by basic insurance. (sensitive)';
comment on column feed_medical_settlements."serious_paid_fen" is '大病保险支付: Paid by serious-illness insurance. (sensitive)';
comment on column feed_medical_settlements."other_paid_fen" is '其他支付: Paid by others. (sensitive)';
comment on column feed_medical_settlements."relief_paid_fen" is '医疗救助支付: Paid as medical relief. (sensitive)';
comment on column feed_medical_settlements."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 银行回盘信息: What the bank reports about each line of a payment roster.
create table feed_payment_returns (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "roster_no" varchar not null,
  "line" bigint not null,
  "month" date not null,
  "amount_fen" bigint not null,
  "result" varchar not null check ("result" in ('paid', 'returned')),
  "reason" varchar
);
comment on column feed_payment_returns."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_payment_returns."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_payment_returns."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_payment_returns."roster_no" is '发放批次号: Number of the roster. (internal)';
comment on column feed_payment_returns."line" is '序号: Line of the roster. (internal)';
comment on column feed_payment_returns."month" is '代发月份: Calendar month the row belongs to. (personal)';
comment on column feed_payment_returns."amount_fen" is '代发金额: Amount of the line. (sensitive)';
comment on column feed_payment_returns."result" is '回盘结果: Paid or returned. (personal)';
comment on column feed_payment_returns."reason" is '失败原因: Why it was returned. (personal)';

-- 养老金及待遇发放信息: Pensions and benefits paid.
create table feed_pensions_paid (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "month" date not null,
  "kind" varchar not null check ("kind" in ('employee_pension', 'office_pension', 'resident_basic_pension', 'survivor_allowance', 'unemployment_benefit', 'injury_benefit', 'injury_nursing', 'retired_military_pension', 'preferential_treatment', 'old_age_allowance', 'family_planning_award', 'scholarship', 'bravery_award')),
  "amount_fen" bigint not null,
  "central_part_fen" bigint,
  "payment_no" varchar
);
comment on column feed_pensions_paid."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_pensions_paid."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_pensions_paid."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_pensions_paid."month" is '待遇所属月份: Calendar month the row belongs to. (personal)';
comment on column feed_pensions_paid."kind" is '待遇类型: Kind of benefit. (sensitive)';
comment on column feed_pensions_paid."amount_fen" is '发放金额: Benefit of the month. (sensitive)';
comment on column feed_pensions_paid."central_part_fen" is '中央基础养老金: Part set by the central government (resident scheme). (sensitive)';
comment on column feed_pensions_paid."payment_no" is '发放流水号: Sender''s number of the payment. (internal)';

-- 财政供养人员工资信息: Pay from public funds.
create table feed_public_payroll (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "month" date not null,
  "amount_fen" bigint not null,
  "organisation" varchar not null
);
comment on column feed_public_payroll."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_public_payroll."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_public_payroll."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_public_payroll."month" is '工资月份: Calendar month the row belongs to. (personal)';
comment on column feed_public_payroll."amount_fen" is '工资发放金额: Pay of the month. (sensitive)';
comment on column feed_public_payroll."organisation" is '供养单位: Paying organisation. (internal)';

-- 不动产登记信息: Registered rights in houses and land.
create table feed_real_estate (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "right_token" varchar,
  "use" varchar not null check ("use" in ('residential', 'commercial', 'industrial', 'land')),
  "area_cm2" bigint,
  "share_e6" bigint,
  "condition" varchar check ("condition" in ('normal', 'grade_c', 'grade_d', 'uninhabited')),
  "division_code" varchar,
  "status" varchar check ("status" in ('owned', 'transferred', 'sealed')),
  "registered_on" date,
  "transferred_on" date,
  "as_of" date
);
comment on column feed_real_estate."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_real_estate."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_real_estate."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_real_estate."right_token" is '不动产标识: Right, as a token of the sender. (sensitive)';
comment on column feed_real_estate."use" is '房屋用途: Registered use. (personal)';
comment on column feed_real_estate."area_cm2" is '建筑面积: Floor or land area. (personal)';
comment on column feed_real_estate."share_e6" is '产权份额: Share of the person, as a decimal or a percentage; left out: unknown, not the whole. (personal)';
comment on column feed_real_estate."condition" is '房屋状况: State of the building. (personal) [JGJ 125-2016 (dangerous buildings)]';
comment on column feed_real_estate."division_code" is '坐落区划: Place, as a six-digit county code or a twelve-digit statistical division code. (personal) [GB/T 2260-2007; statistical division code (12 digits)]';
comment on column feed_real_estate."status" is '权利状态: State of the right. (personal)';
comment on column feed_real_estate."registered_on" is '不动产登记日期: Day of the registration. (personal)';
comment on column feed_real_estate."transferred_on" is '转移登记日期: Day of the transfer, if any. (personal)';
comment on column feed_real_estate."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 已享受救助信息: Relief paid by any payer.
create table feed_relief_paid (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "category" varchar not null check ("category" in ('living', 'education', 'medical', 'disability', 'other')),
  "programme" varchar,
  "payer" varchar,
  "month" date not null,
  "amount_fen" bigint not null,
  "payment_no" varchar
);
comment on column feed_relief_paid."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_relief_paid."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_relief_paid."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_relief_paid."category" is '救助类型: Category of relief. (personal)';
comment on column feed_relief_paid."programme" is '救助项目: Programme, as the payer names it. (personal)';
comment on column feed_relief_paid."payer" is '救助单位: Payer. (internal)';
comment on column feed_relief_paid."month" is '救助月份: Calendar month the row belongs to. (personal)';
comment on column feed_relief_paid."amount_fen" is '救助金额: Relief paid. (sensitive)';
comment on column feed_relief_paid."payment_no" is '救助发放流水号: Payer''s number of the payment. (internal)';

-- 救助对象身份信息: Recognised status under a relief programme.
create table feed_relief_status (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "programme" varchar not null check ("programme" in ('dibao', 'wubao', 'tekun', 'dibao_margin', 'rigid_expenditure', 'orphan', 'unsupported_child', 'return_to_poverty_monitored', 'urban_sanwu', 'hardship_worker')),
  "care_mode" varchar check ("care_mode" in ('home', 'institution')),
  "from" date,
  "until" date,
  "granted_by" varchar,
  "as_of" date
);
comment on column feed_relief_status."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_relief_status."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_relief_status."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_relief_status."programme" is '救助对象类别: Programme. (sensitive)';
comment on column feed_relief_status."care_mode" is '供养方式: Care at home or in an institution. (personal)';
comment on column feed_relief_status."from" is '身份起始日期: First day of the status. (personal)';
comment on column feed_relief_status."until" is '身份终止日期: Last day, where known; it may lie ahead. (personal)';
comment on column feed_relief_status."granted_by" is '认定单位: Who recognised the status. (internal)';
comment on column feed_relief_status."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 刚性支出信息: Unavoidable spending that the law lets count.
create table feed_rigid_spending (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "kind" varchar not null check ("kind" in ('living', 'medical', 'education', 'rehabilitation', 'disaster', 'accident', 'other')),
  "paid_on" date not null,
  "amount_fen" bigint not null,
  "reimbursed_fen" bigint,
  "invoice_no" varchar,
  "as_of" date
);
comment on column feed_rigid_spending."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_rigid_spending."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_rigid_spending."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_rigid_spending."kind" is '支出类型: Kind of spending. (sensitive)';
comment on column feed_rigid_spending."paid_on" is '支出日期: Day of payment. (personal)';
comment on column feed_rigid_spending."amount_fen" is '支出金额: Amount paid. (sensitive)';
comment on column feed_rigid_spending."reimbursed_fen" is '报销金额: Part paid back by others. (sensitive)';
comment on column feed_rigid_spending."invoice_no" is '票据号码: Number of the invoice. (personal)';
comment on column feed_rigid_spending."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 学籍信息: Enrolment at school and university.
create table feed_school (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "level" varchar not null check ("level" in ('preschool', 'primary', 'junior', 'senior', 'vocational', 'undergraduate', 'postgraduate')),
  "mode" varchar check ("mode" in ('full_time', 'part_time')),
  "fee_class" varchar,
  "school_name" varchar,
  "enrolled_on" date,
  "left_on" date,
  "as_of" date
);
comment on column feed_school."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_school."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_school."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_school."level" is '学段: Level of schooling. (personal)';
comment on column feed_school."mode" is '学习形式: Full-time or part-time. (personal)';
comment on column feed_school."fee_class" is '收费类别: Class of fees, such as public or fee-charging private school (auxiliary sign). (personal)';
comment on column feed_school."school_name" is '学校名称: Name of the school. (personal)';
comment on column feed_school."enrolled_on" is '入学日期: First day of the enrolment. (personal)';
comment on column feed_school."left_on" is '离校日期: Last day, where known; it may lie ahead. (personal)';
comment on column feed_school."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 证券、基金、理财信息: Shares, funds, bonds and wealth products.
create table feed_securities (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "kind" varchar not null check ("kind" in ('shares', 'fund', 'bond', 'wealth_product')),
  "value_fen" bigint not null,
  "institution" varchar,
  "account_token" varchar,
  "instrument" varchar,
  "as_of" date
);
comment on column feed_securities."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_securities."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_securities."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_securities."kind" is '持仓品种: Kind of holding. (personal)';
comment on column feed_securities."value_fen" is '持仓市值: Market value on the day. (sensitive)';
comment on column feed_securities."institution" is '证券机构: Institution that holds it. (personal)';
comment on column feed_securities."account_token" is '证券账户: Account, as a token of the sender. (sensitive)';
comment on column feed_securities."instrument" is '证券代码: Code of the instrument. (sensitive)';
comment on column feed_securities."as_of" is '市值日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 生活自理能力评估信息: Ability of self-care of persons in extreme difficulty: how many of six everyday acts a person cannot do.
create table feed_self_care_assessments (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "items_failed" bigint not null,
  "needs_care_since" date,
  "assessed_on" date,
  "as_of" date
);
comment on column feed_self_care_assessments."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_self_care_assessments."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_self_care_assessments."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_self_care_assessments."items_failed" is '不能自理项数: How many of the six acts (eating, dressing, bed, toilet, indoor walking, bathing) the person cannot do alone. (sensitive)';
comment on column feed_self_care_assessments."needs_care_since" is '失能起始日期: Day since which care is needed. (sensitive)';
comment on column feed_self_care_assessments."assessed_on" is '评估日期: Day of the assessment. (personal)';
comment on column feed_self_care_assessments."as_of" is '数据日期: Day on which the row was true; left out: `assessed_on`. (internal)';

-- 重病认定信息: Serious illnesses as recognised by medical insurance or health authorities.
create table feed_serious_illness (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "diagnosis_group" varchar not null,
  "recognised_on" date,
  "valid_to" date,
  "as_of" date
);
comment on column feed_serious_illness."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_serious_illness."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_serious_illness."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_serious_illness."diagnosis_group" is '病种: Group of the illness. (sensitive)';
comment on column feed_serious_illness."recognised_on" is '认定日期: Day of the recognition. (sensitive)';
comment on column feed_serious_illness."valid_to" is '有效期至: Last day on which the recognition holds. (personal)';
comment on column feed_serious_illness."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 社会保险缴费信息: Contributions to social insurance.
create table feed_social_insurance (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "month" date not null,
  "scheme" varchar not null check ("scheme" in ('pension', 'medical', 'unemployment', 'injury', 'maternity')),
  "payer" varchar check ("payer" in ('employer', 'self', 'subsidised')),
  "base_fen" bigint,
  "paid_fen" bigint,
  "personal_paid_fen" bigint,
  "employer" varchar
);
comment on column feed_social_insurance."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_social_insurance."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_social_insurance."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_social_insurance."month" is '缴费月份: Calendar month the row belongs to. (personal)';
comment on column feed_social_insurance."scheme" is '险种: Scheme. (personal)';
comment on column feed_social_insurance."payer" is '缴费主体: Who pays. (personal)';
comment on column feed_social_insurance."base_fen" is '缴费基数: Wage on which the contribution is reckoned. (sensitive)';
comment on column feed_social_insurance."paid_fen" is '缴费金额: Contribution of all payers together. (sensitive)';
comment on column feed_social_insurance."personal_paid_fen" is '个人缴费金额: Contribution of the insured person. (sensitive)';
comment on column feed_social_insurance."employer" is '参保单位: Employer through whom the contribution is paid. (internal)';

-- 法定赡养、抚养、扶养义务人信息: Persons outside the household who owe support, their own household and what they pay.
create table feed_supporters (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "supporter_id" varchar,
  "supports" varchar,
  "relation" varchar check ("relation" in ('head', 'spouse', 'child', 'parent', 'grandparent', 'grandchild', 'sibling', 'child_in_law', 'parent_in_law', 'other')),
  "sex" varchar check ("sex" in ('male', 'female')),
  "born_on" date,
  "residence" varchar check ("residence" in ('urban', 'rural')),
  "division_code" varchar,
  "income_fen" bigint,
  "household_size" bigint,
  "household_income_fen" bigint,
  "children_count" bigint,
  "others_supported" bigint,
  "agreed_amount_fen" bigint,
  "received_amount_fen" bigint,
  "paid_out_fen" bigint,
  "civil_capacity" varchar check ("civil_capacity" in ('full', 'limited', 'none')),
  "as_of" date
);
comment on column feed_supporters."id_type" is '证件类型: Kind of the identity document of the person the row is filed under (the member, or the supporter). Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_supporters."id_number" is '公民身份号码: Number of the identity document of the person the row is filed under (the member, or the supporter); 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_supporters."name" is '姓名: Name of the person the row is filed under (the member, or the supporter), where the sender has it. (personal)';
comment on column feed_supporters."supporter_id" is '义务人身份证号: Identity number of the supporter. (sensitive)';
comment on column feed_supporters."supports" is '被赡养人身份证号: Identity numbers of the supported members, separated by commas. (sensitive)';
comment on column feed_supporters."relation" is '义务人与申请人关系: What the supporter is to the supported (child, parent, spouse …). (personal) [GB/T 4761-2008]';
comment on column feed_supporters."sex" is '义务人性别: Sex of the supporter. (personal) [GB/T 2261.1-2003]';
comment on column feed_supporters."born_on" is '义务人出生日期: Day of birth of the supporter. (personal)';
comment on column feed_supporters."residence" is '义务人城乡类别: Urban or rural residence of the supporter. (personal) [Statistical rules on urban and rural division (2008)]';
comment on column feed_supporters."division_code" is '义务人居住地区划: Place, as a six-digit county code or a twelve-digit statistical division code. (personal) [GB/T 2260-2007; statistical division code (12 digits)]';
comment on column feed_supporters."income_fen" is '义务人年收入: Own income of the supporter per year. (sensitive)';
comment on column feed_supporters."household_size" is '义务人家庭人口: Persons in the supporter''s household. (personal)';
comment on column feed_supporters."household_income_fen" is '义务人家庭年收入: Income of the supporter''s household per year. (sensitive)';
comment on column feed_supporters."children_count" is '子女数: How many children share the duty. (personal)';
comment on column feed_supporters."others_supported" is '另需赡养人数: Other persons whom the supporter supports. (personal)';
comment on column feed_supporters."agreed_amount_fen" is '协议赡养费: Support by agreement or judgment, per month. (sensitive)';
comment on column feed_supporters."received_amount_fen" is '实收赡养费: Support really received, per month. (sensitive)';
comment on column feed_supporters."paid_out_fen" is '已支付其他赡养费: Support the supporter pays to others, per month. (sensitive)';
comment on column feed_supporters."civil_capacity" is '民事行为能力: Civil capacity of the supporter. (sensitive)';
comment on column feed_supporters."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 个人所得税申报信息: Income as declared to the tax authority.
create table feed_tax_income (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "month" date not null,
  "item" varchar not null check ("item" in ('wages', 'labour', 'royalties', 'business', 'interest', 'rent', 'transfer', 'incidental')),
  "amount_fen" bigint not null,
  "tax_fen" bigint,
  "payer" varchar,
  "employer" varchar
);
comment on column feed_tax_income."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_tax_income."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_tax_income."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_tax_income."month" is '税款所属期: Calendar month the row belongs to. (personal)';
comment on column feed_tax_income."item" is '所得项目: Item of income by the income tax law. (personal) [Individual Income Tax Law (2018) art. 2]';
comment on column feed_tax_income."amount_fen" is '收入额: Income of the month before deductions. (sensitive)';
comment on column feed_tax_income."tax_fen" is '已缴税额: Tax withheld or paid; negative where it was paid back. (sensitive)';
comment on column feed_tax_income."payer" is '扣缴义务人统一社会信用代码: Credit code of the withholding agent. (internal) [GB 32100-2015]';
comment on column feed_tax_income."employer" is '扣缴义务人名称: Name of the withholding agent. (internal)';

-- 水电气使用信息: Use of water, electricity and gas: a hint only, never a ground by itself.
create table feed_utilities (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "kind" varchar not null check ("kind" in ('water', 'electricity', 'gas')),
  "month" date not null,
  "quantity" bigint,
  "amount_fen" bigint,
  "account_token" varchar
);
comment on column feed_utilities."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_utilities."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_utilities."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_utilities."kind" is '能源类型: Water, electricity or gas. (personal)';
comment on column feed_utilities."month" is '用量月份: Calendar month the row belongs to. (personal)';
comment on column feed_utilities."quantity" is '用量: Quantity in whole units of the meter. (personal)';
comment on column feed_utilities."amount_fen" is '用能金额: Bill of the month. (sensitive)';
comment on column feed_utilities."account_token" is '用户编号: Meter, as a token of the sender. (sensitive)';

-- 机动车、船舶、农机登记信息: Registered vehicles, ships and farm machines.
create table feed_vehicles (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "vehicle_token" varchar,
  "vehicle_class" varchar not null check ("vehicle_class" in ('car', 'small_goods', 'large', 'motorcycle', 'electric_bicycle', 'disability_vehicle', 'farm_machine', 'ship')),
  "use_nature" varchar,
  "status" varchar check ("status" in ('normal', 'overdue', 'seized', 'scrapped')),
  "registered_on" date,
  "as_of" date
);
comment on column feed_vehicles."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_vehicles."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_vehicles."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_vehicles."vehicle_token" is '车辆标识: Vehicle, as a token of the sender. (sensitive)';
comment on column feed_vehicles."vehicle_class" is '车辆类型: Class of vehicle. (personal) [GA 802 (vehicle types)]';
comment on column feed_vehicles."use_nature" is '使用性质: Registered use, such as 非营运. (personal)';
comment on column feed_vehicles."status" is '机动车状态: State of the registration. (personal)';
comment on column feed_vehicles."registered_on" is '初次登记日期: Day of the first registration. (personal)';
comment on column feed_vehicles."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 第三方支付账户信息: Balances with payment institutions.
create table feed_wallets (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "balance_fen" bigint not null,
  "institution" varchar,
  "account_token" varchar,
  "as_of" date
);
comment on column feed_wallets."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_wallets."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_wallets."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_wallets."balance_fen" is '支付账户余额: Balance on the day. (sensitive)';
comment on column feed_wallets."institution" is '支付机构: Payment institution. (personal)';
comment on column feed_wallets."account_token" is '支付账户标识: Wallet, as a token of the sender. (sensitive)';
comment on column feed_wallets."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';

-- 推荐就业信息: Suitable work offered to a person, and whether it was refused.
create table feed_work_offers (
  "id_type" varchar check ("id_type" in ('resident_id', 'hk_macao_tw_permit', 'foreign_permanent_resident', 'passport', 'none')),
  "id_number" varchar not null,
  "name" varchar,
  "offered_on" date not null,
  "refused" boolean not null,
  "offer_no" varchar,
  "as_of" date
);
comment on column feed_work_offers."id_type" is '证件类型: Kind of the identity document. Left out: resident identity card, whose number proves itself by its check digit. (personal) [GB 11643-1999; GA/T 2000.156 (certificate type codes)]';
comment on column feed_work_offers."id_number" is '公民身份号码: Number of the identity document; 15-digit numbers are brought to 18 digits. (sensitive) [GB 11643-1999]';
comment on column feed_work_offers."name" is '姓名: Name, where the sender has it. (personal)';
comment on column feed_work_offers."offered_on" is '推荐日期: Day of the offer. (personal)';
comment on column feed_work_offers."refused" is '是否拒绝: Whether it was refused without good reason. (personal)';
comment on column feed_work_offers."offer_no" is '推荐编号: Sender''s number of the offer. (internal)';
comment on column feed_work_offers."as_of" is '数据日期: Day on which the row was true; left out in a register or balance feed: the day the manifest states. (internal)';
