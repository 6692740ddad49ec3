"""The movement forms 7.2 and 7.3."""

from datetime import date

from fastapi import APIRouter
from pydantic import BaseModel, Field

from benvung.auth import OutsideArea
from benvung.db import Conn
from benvung.problems import responses
from reporting.actions import movements as forms
from reporting.actions.geographies import ReorganisationNotRecorded
from reporting.actions.places import AreaUnknown
from reporting.api.asked import (
    Area,
    Asker,
    Geography,
    Language,
    NoteModel,
    Year,
    notes,
    place_of_year,
)
from reporting.api.models import AreaModel, CountModel
from reporting.domain import Fault, Line
from reporting.words import Words

router = APIRouter(
    tags=["movements"], responses=responses(AreaUnknown, OutsideArea, ReorganisationNotRecorded)
)


class ColumnModel(BaseModel):
    """A column of the form."""

    code: int = Field(description="number of the column in the circular")
    role: str = Field(description="START, DECREASE, INCREASE or END")
    movement: str | None = Field(description="code of the movement counted here")
    label: str


class LineModel(BaseModel):
    """One area's cells, in the order of the columns. Each holds the row of households and that of persons."""

    area: AreaModel
    cells: list[CountModel]


class GroupModel(BaseModel):
    """I. Khu vực thành thị, II. Khu vực nông thôn."""

    kind: str = Field(description="URBAN, RURAL, or UNKNOWN where no source states it")
    label: str
    lines: list[LineModel]
    total: list[CountModel]


class FaultModel(BaseModel):
    """A check that fails: found − expected, in one row and column of one area."""

    rule: str = Field(description="row-does-not-close or forms-differ")
    form: str
    area: str = Field(description="code of the commune, or TOTAL")
    measure: str = Field(description="HOUSEHOLDS or PERSONS")
    column: int
    expected: int
    found: int
    difference: int
    message: str


class FormModel(BaseModel):
    """One form of the circular, filled in."""

    form: str = Field(examples=["7.2"])
    title: str
    legal: str
    columns: list[ColumnModel]
    groups: list[GroupModel]
    total: list[CountModel] = Field(description="III. Tổng cộng (I + II)")


class MovementsAnswer(BaseModel):
    """Both forms of a year. `closes` is true when every check holds."""

    area: AreaModel
    year: int
    closes: bool
    forms: list[FormModel]
    faults: list[FaultModel]
    notes: list[NoteModel] = Field(description="what is not known of the units of that year")


@router.get("/movements")
async def read_movements(
    *,
    conn: Conn,
    principal: Asker,
    area: Area,
    year: Year,
    say: Language,
    geography: Geography = "then",
) -> MovementsAnswer:
    """How the lists of poor and near-poor households changed in a year, in households and persons."""
    found = await forms.movements(conn, place_of_year(principal, area, year, geography), year)
    names = {unit.code: unit.name for unit in found.place.communes}
    return MovementsAnswer(
        area=AreaModel.of(found.place.unit),
        year=year,
        closes=not found.faults,
        forms=[_form(one, say) for one in found.forms],
        faults=[fault_model(fault, names, say) for fault in found.faults],
        notes=notes(date(year, 1, 1), say),
    )


def _form(filled: forms.FilledForm, say: Words) -> FormModel:
    form = filled.form
    return FormModel(
        form=form.code,
        title=form.title[say.language],
        legal=form.legal,
        columns=[
            ColumnModel(
                code=column.code,
                role=column.role,
                movement=column.movement,
                label=column.label[say.language],
            )
            for column in form.columns
        ],
        groups=[
            GroupModel(
                kind=group.kind,
                label=say.label("group", group.kind),
                lines=[LineModel(area=AreaModel.of(unit), cells=_cells(line)) for unit, line in group.lines],
                total=_cells(group.total),
            )
            for group in filled.groups
        ],
        total=_cells(filled.total),
    )


def _cells(line: Line) -> list[CountModel]:
    return [CountModel.of(count) for count in line]


def fault_model(fault: Fault, names: dict[str, str], say: Words) -> FaultModel:
    """A fault with its sentence; `names` are the communes' names by code."""
    area = names.get(fault.area, say.t("group.total"))
    difference = say.formats.number(fault.difference)
    return FaultModel(
        rule=fault.rule,
        form=fault.form,
        area=fault.area,
        measure=fault.measure.value,
        column=fault.column,
        expected=fault.expected,
        found=fault.found,
        difference=fault.difference,
        message=say.t(
            f"fault.{fault.rule}",
            area=area,
            form=fault.form,
            measure=say.label("measure", fault.measure.value),
            column=fault.column,
            difference=difference,
        ),
    )
