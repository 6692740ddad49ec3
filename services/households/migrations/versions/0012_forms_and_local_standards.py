"""Forms filled item by item with the tables that score them; standards of provinces with their own results."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BASIS = "basis in ({})"
BEFORE, NOW = "'TOTALS_GIVEN', 'FLAGS'", "'TOTALS_GIVEN', 'FLAGS', 'ITEMS'"
CLASS = "class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')"
TABLES = (
    """create table score_tables (
        sequence bigint generated always as identity,
        id uuid not null,
        form text not null,
        standard text not null,
        form_version text not null,
        head jsonb not null,
        cells jsonb not null,
        loaded_by text not null,
        recorded_at timestamptz default clock_timestamp() not null,
        constraint pk_score_tables primary key (sequence),
        constraint uq_score_tables_id unique (id),
        constraint ck_score_tables_form_known check (form in ('FORM_A', 'FORM_B1')))""",
    "create index ix_score_tables_form on score_tables (form, standard, form_version, sequence)",
    f"""create table filled_forms (
        id uuid not null,
        form text not null,
        review_id uuid not null,
        household_id uuid not null,
        commune text not null,
        village text not null,
        filled_on date not null,
        members integer not null,
        score_table uuid,
        b1_points integer,
        b2_points integer,
        basis text not null,
        to_review boolean,
        sealed bytea not null,
        filled_by text not null,
        recorded_at timestamptz default clock_timestamp() not null,
        constraint pk_filled_forms primary key (id),
        constraint fk_filled_forms_review_id_reviews foreign key (review_id) references reviews (id),
        constraint fk_filled_forms_household_id_households
            foreign key (household_id) references households (id),
        constraint fk_filled_forms_score_table_score_tables
            foreign key (score_table) references score_tables (id),
        constraint ck_filled_forms_form_known check (form in ('FORM_A', 'FORM_B')),
        constraint ck_filled_forms_basis_known check ({BASIS.format(NOW)}),
        constraint ck_filled_forms_screening_has_answer
            check ((form = 'FORM_A') = (to_review is not null)),
        constraint ck_filled_forms_form_b_has_points check ((form = 'FORM_B') = (b2_points is not null)),
        constraint ck_filled_forms_members_positive check (members > 0))""",
    "create index ix_filled_forms_household_id on filled_forms (household_id)",
    "create index ix_filled_forms_review on filled_forms (review_id, household_id)",
    """create table local_standards (
        sequence bigint generated always as identity,
        id uuid not null,
        code text not null,
        province text not null,
        content jsonb not null,
        loaded_by text not null,
        recorded_at timestamptz default clock_timestamp() not null,
        constraint pk_local_standards primary key (sequence),
        constraint uq_local_standards_id unique (id))""",
    "create index ix_local_standards_province on local_standards (province, sequence)",
    f"""create table local_results (
        decision bigint not null,
        local_standard uuid not null,
        household_id uuid not null,
        standard text not null,
        class text,
        b2_points integer,
        why jsonb not null,
        recorded_at timestamptz default clock_timestamp() not null,
        constraint pk_local_results primary key (decision, local_standard),
        constraint fk_local_results_local_standard_local_standards
            foreign key (local_standard) references local_standards (id),
        constraint fk_local_results_household_id_households
            foreign key (household_id) references households (id),
        constraint ck_local_results_class_known check ({CLASS}))""",
    "create index ix_local_results_household on local_results (household_id, decision)",
    f"""create table local_classes (
        household_id uuid not null,
        province text not null,
        standard text not null,
        class text,
        since date not null,
        decision bigint not null,
        constraint pk_local_classes primary key (household_id),
        constraint fk_local_classes_household_id_households
            foreign key (household_id) references households (id),
        constraint ck_local_classes_class_known check ({CLASS}))""",
    "create index ix_local_classes_class on local_classes (province, class, household_id)",
    """comment on table local_classes is
        'the newest standing local result of each household; what it follows from is local_results'""",
)
STAYS = ("score_tables", "local_standards", "local_results")


def upgrade() -> None:
    """No decision so far rests on items, and no province has loaded a standard."""
    op.drop_constraint(op.f("ck_decisions_basis_known"), "decisions", type_="check")
    op.create_check_constraint(op.f("ck_decisions_basis_known"), "decisions", BASIS.format(NOW))
    for statement in TABLES:
        op.execute(statement)
    for table in STAYS:
        op.execute(
            f"create trigger facts_stay_as_written before update or delete or truncate on {table}"
            " for each statement execute function facts_stay_as_written()"
        )
    op.execute(
        "create trigger facts_stay_as_written before delete or truncate on filled_forms"
        " for each statement execute function facts_stay_as_written()"
    )
    op.execute(
        "create trigger seals_alone_change before update on filled_forms"
        " for each row execute function seals_alone_change('sealed')"
    )


def downgrade() -> None:
    """Only while no decision rests on items."""
    for table in ("local_classes", "local_results", "local_standards", "filled_forms", "score_tables"):
        op.execute(f"drop table {table}")
    op.drop_constraint(op.f("ck_decisions_basis_known"), "decisions", type_="check")
    op.create_check_constraint(op.f("ck_decisions_basis_known"), "decisions", BASIS.format(BEFORE))
