"""Texts typed in Word come back into ``textes/``: nothing lost, nothing overwritten in silence, nobody else's text."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from evalkit import actions
from evalkit.errors import EvalkitError
from evalkit.loaders.word_texts import read_word_texts
from evalkit.model.free_text import REST_PROPERTY
from evalkit.wording import quote
from tests.unit.word_cases import W, controls, gone, ins, make_docx, p, part, r, replace_part, typed, unwrapped

ROOT = Path(__file__).resolve().parents[2]
FAULTY = ROOT / "tests" / "fichiers_fautifs"
BULLET = '<w:pStyle w:val="ListBullet"/>'
NUMBER = '<w:pStyle w:val="ListNumber"/>'


@pytest.fixture
def dossier(tmp_path: Path) -> Path:
    folder = tmp_path / "campagne" / "essai"
    (folder / "textes").mkdir(parents=True)
    (folder / "territoire.yml").write_text("nom: Essai\n", encoding="utf-8")
    return folder


def word_file(dossier: Path, content: bytes) -> Path:
    path = dossier.parent.parent / "rapport.docx"
    path.write_bytes(content)
    return path


def take(dossier: Path, content: bytes) -> dict[str, str]:
    """Import a Word report; state of each section."""
    result = actions.import_texts(word_file(dossier, content), dossier)
    return {text.nom: text.etat for text in result.textes}


def text_file(dossier: Path, name: str) -> Path:
    return dossier / "textes" / f"{name}.md"


def test_an_untouched_report_changes_nothing(dossier: Path) -> None:
    """Empty sections, and one written before the report was made: nothing to take."""
    text_file(dossier, "q1").write_text("* **Oui**\n* non\n", encoding="utf-8")
    before = sorted(path.name for path in (dossier / "textes").iterdir())
    docx = make_docx(texts={"q1": "* **Oui**\n* non\n"})
    assert take(dossier, docx) == {"presentation": "inchange", "q1": "inchange"}
    assert sorted(path.name for path in (dossier / "textes").iterdir()) == before


def test_a_text_typed_in_word_becomes_a_section(dossier: Path) -> None:
    """Paragraphs, line ends, lists, a subheading, bold and italic; the placeholder is not a text."""
    docx = typed(
        make_docx(),
        "presentation",
        [
            p(r("Un contrat "), r("exigeant", "<w:b/>"), r(", "), r("partagé", "<w:i/>"), r(".")),
            p(r("Première"), "<w:r><w:br/></w:r>", r("seconde ligne")),
            p(r("Ce que nous retenons"), properties='<w:pStyle w:val="Heading4"/>'),
            p(r("un"), properties=BULLET),
            p(r("deux"), properties=BULLET),
            p(r("d’abord"), properties=NUMBER),
        ],
    )
    assert take(dossier, docx) == {"presentation": "repris", "q1": "inchange"}
    assert text_file(dossier, "presentation").read_text(encoding="utf-8") == (
        "Un contrat **exigeant**, *partagé*.\n\nPremière\nseconde ligne\n\n# Ce que nous retenons\n\n- un\n- deux\n\n1. d’abord\n"
    )
    assert not text_file(dossier, "q1").exists()


def test_tracked_changes_are_taken_as_accepted(dossier: Path) -> None:
    """Insertions stay, deletions go, a deleted paragraph mark joins two paragraphs, a moved sentence is there once."""
    deleted_mark = '<w:rPr><w:del w:id="92" w:author="relecture"/></w:rPr>'
    moved = '<w:moveFrom w:id="93" w:author="x"><w:r><w:t>Déplacé. </w:t></w:r></w:moveFrom>'
    arrived = '<w:moveTo w:id="94" w:author="x"><w:r><w:t>Déplacé. </w:t></w:r></w:moveTo>'
    docx = typed(
        make_docx(texts={"q1": "Le comité se réunit."}),
        "q1",
        [
            p(r("Le comité "), gone("se réunit"), ins(r("décide")), moved, r("."), properties=deleted_mark),
            p(r(" Et il le dit. "), arrived),
            p(gone("Disparu"), properties=deleted_mark),
        ],
    )
    text_file(dossier, "q1").write_text("Le comité se réunit.", encoding="utf-8")
    assert take(dossier, docx)["q1"] == "repris"
    assert text_file(dossier, "q1").read_text(encoding="utf-8") == "Le comité décide. Et il le dit. Déplacé.\n"
    kept = dossier / "textes" / "anciens" / "q1.md"
    assert kept.read_text(encoding="utf-8") == "Le comité se réunit.", "l'ancien texte est gardé"


def test_what_word_does_not_print_is_not_published(dossier: Path) -> None:
    """Hidden words stay hidden, and are said; a table row that was deleted with its tracked change goes."""
    row = "<w:tr>{}<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc></w:tr>"
    gone_row = row.format('<w:trPr><w:del w:id="95" w:author="x"/></w:trPr>', "Rangée supprimée")
    table = f"<w:tbl>{row.format('', 'Rangée gardée')}{gone_row}</w:tbl>"
    docx = typed(make_docx(), "q1", [p(r("Dit. "), r("Secret caché.", "<w:vanish/>")), table])
    result = actions.import_texts(word_file(dossier, docx), dossier)
    text = text_file(dossier, "q1").read_text(encoding="utf-8")
    assert "Dit." in text
    assert "Rangée gardée" in text
    assert "Secret" not in text
    assert "supprimée" not in text
    assert any("un texte masqué dans Word" in str(fault) for fault in result.faults)


def test_a_conflict_keeps_both_and_says_so(dossier: Path) -> None:
    docx = typed(make_docx(texts={"q1": "Avant."}), "q1", [p(r("Tapé dans Word."))])
    text_file(dossier, "q1").write_text("Changé entre-temps.", encoding="utf-8")
    result = actions.import_texts(word_file(dossier, docx), dossier)
    assert [fault.code for fault in result.faults] == ["DON-122"]
    assert text_file(dossier, "q1").read_text(encoding="utf-8") == "Changé entre-temps."
    other = dossier / "textes" / "a-reprendre" / "q1.md"
    assert other.read_text(encoding="utf-8") == "Tapé dans Word.\n"
    assert "textes/a-reprendre/q1.md" in result.report()
    assert take(dossier, docx)["q1"] == "conflit", "recommencer ne tranche pas à la place de la personne"
    assert [path.name for path in other.parent.iterdir()] == ["q1.md"], "et n'empile pas de copies"


@pytest.mark.parametrize("twice", [False, True])
def test_a_report_saved_without_its_controls_is_read_by_its_bookmarks(dossier: Path, twice: bool) -> None:
    """LibreOffice drops the controls and may write a bookmark twice: every paragraph is there, the next section is not."""
    text_file(dossier, "presentation").write_text("Avant.\n\nAprès.", encoding="utf-8")
    docx = make_docx(texts={"presentation": "Avant.\n\nAprès."})
    docx = typed(docx, "q1", [p(r("Un.")), p(r("deux"), properties=BULLET), p(r("Trois."))])
    saved = unwrapped(docx, twice=twice)
    assert take(dossier, saved) == {"presentation": "inchange", "q1": "repris"}
    assert text_file(dossier, "q1").read_text(encoding="utf-8") == "Un.\n\n- deux\n\nTrois.\n"


def test_the_invitation_left_before_a_text_is_not_part_of_it(dossier: Path) -> None:
    prompt = "".join(controls(make_docx())["q1"].find("{*}sdtContent").itertext())
    assert prompt.startswith("Cliquez ici pour écrire :")
    assert take(dossier, unwrapped(make_docx())) == {"presentation": "inchange", "q1": "inchange"}
    docx = typed(make_docx(), "q1", [p(r(f"{prompt} Ma phrase.")), p(r("Suite."))])
    assert take(dossier, unwrapped(docx))["q1"] == "repris"
    assert text_file(dossier, "q1").read_text(encoding="utf-8") == "Ma phrase.\n\nSuite.\n"


def test_a_round_trip_through_libreoffice(dossier: Path, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:  # près de 200 Mo : l'intégration s'en tient à ce que LibreOffice écrit, reproduit ci-dessus
        pytest.skip("LibreOffice n'est pas là")
    docx = typed(make_docx(), "q1", [p(r("Un "), gone("mauvais"), ins(r("bon", "<w:b/>")), r(" texte.")), p(r("Fin."))])
    source = word_file(dossier, docx)
    command = [office, f"-env:UserInstallation={(tmp_path / 'profil').as_uri()}", "--headless", "--convert-to", "docx"]
    subprocess.run([*command, "--outdir", str(tmp_path / "lo"), str(source)], check=True, capture_output=True)
    assert take(dossier, (tmp_path / "lo" / "rapport.docx").read_bytes())["q1"] == "repris"
    assert text_file(dossier, "q1").read_text(encoding="utf-8") == "Un **bon** texte.\n\nFin.\n"


def test_importing_twice_takes_once(dossier: Path) -> None:
    docx = typed(make_docx(), "q1", [p(r("Une phrase."))])
    assert take(dossier, docx)["q1"] == "repris"
    assert take(dossier, docx)["q1"] == "deja_repris"


def test_a_text_erased_in_word_is_kept_aside(dossier: Path) -> None:
    text_file(dossier, "q1").write_text("À retirer.", encoding="utf-8")
    docx = typed(make_docx(texts={"q1": "À retirer."}), "q1", [p()])
    assert take(dossier, docx)["q1"] == "efface"
    assert not text_file(dossier, "q1").exists()
    assert (dossier / "textes" / "anciens" / "q1.md").read_text(encoding="utf-8") == "À retirer."


def test_the_file_keeps_its_own_title(dossier: Path) -> None:
    text_file(dossier, "presentation").write_text("# Notre contrat\n\nAvant.", encoding="utf-8")
    docx = typed(make_docx(texts={"presentation": "Avant."}), "presentation", [p(r("Après."))])
    assert take(dossier, docx)["presentation"] == "repris"
    assert text_file(dossier, "presentation").read_text(encoding="utf-8") == "# Notre contrat\n\nAprès.\n"


def test_a_section_copied_elsewhere_in_word_loses_nothing(dossier: Path) -> None:
    """Two controls of one name that say two things: the first is taken, the other is kept beside."""
    docx = typed(make_docx(), "q1", [p(r("Premier."))])
    second = typed(docx, "q1", [p(r("Second."))])
    root = part(docx)
    root[0].insert(1, controls(second)["q1"])
    both = replace_part(docx, "word/document.xml", etree.tostring(root))
    found = actions.import_texts(word_file(dossier, both), dossier)
    said = {path.read_text(encoding="utf-8") for path in (dossier / "textes").rglob("*.md")}
    assert said == {"Premier.\n", "Second.\n"}
    (told,) = [fault for fault in found.faults if fault.code == "DON-122"]
    assert told.read == "deux fois la même section dans le Word, avec deux textes : le premier est repris"


def test_a_name_that_leads_out_of_the_folder_is_not_read(dossier: Path) -> None:
    content = make_docx(texts={"q1": "x"})
    raw = etree.tostring(part(content)).replace(b"evalkit:q1:", b"evalkit:../../q1:")
    assert "../../q1" not in take(dossier, replace_part(content, "word/document.xml", raw))
    assert not (dossier.parent / "q1.md").exists()


# --- faults ---------------------------------------------------------------------------------------------------------------


def refused(dossier: Path, path: Path) -> str:
    before = sorted(str(one) for one in dossier.rglob("*"))
    with pytest.raises(EvalkitError) as raised:
        actions.import_texts(path, dossier)
    assert sorted(str(one) for one in dossier.rglob("*")) == before, "rien n'est écrit"
    return raised.value.faults[0].code


def test_a_word_file_without_our_sections_is_refused(dossier: Path) -> None:
    assert refused(dossier, FAULTY / "DON-120-sans-section.docx") == "DON-120"


def test_the_report_of_another_territory_is_refused(dossier: Path) -> None:
    assert refused(dossier, FAULTY / "DON-121-autre-territoire.docx") == "DON-121"
    nameless = replace_part(make_docx(), "docProps/custom.xml", None)
    assert refused(dossier, word_file(dossier, nameless)) == "DON-121"


def test_the_report_of_another_campaign_is_refused(dossier: Path) -> None:
    """The same town, two years: the words of one would comment the levels of the other."""
    docx = typed(make_docx(), "q1", [p(r("Un mot."))])
    campaign = (ROOT / "sample_data" / "2022" / "campagne.yml").read_text(encoding="utf-8")
    (dossier.parent / "campagne.yml").write_text(campaign, encoding="utf-8")
    with pytest.raises(EvalkitError) as raised:
        actions.import_texts(word_file(dossier, docx), dossier)
    assert raised.value.faults[0].code == "DON-121"
    assert quote("2022") in raised.value.faults[0].read
    assert quote("campagne") in raised.value.faults[0].expected
    assert not text_file(dossier, "q1").exists()
    own = typed(make_docx(parametres={"campagne": "campagne", "territoire": "essai"}), "q1", [p(r("Un mot."))])
    assert take(dossier, own)["q1"] == "repris"


def with_body(docx: bytes, change: Callable[[Any], None]) -> bytes:
    root = part(docx)
    change(root.find(f"{{{W}}}body"))
    return replace_part(docx, "word/document.xml", etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def paragraph(xml: str) -> Any:
    return etree.fromstring(f'<root xmlns:w="{W}">{xml}</root>')[0]


def test_what_is_typed_outside_the_sections_is_counted_under_its_heading(dossier: Path) -> None:
    """Never repeated: it could name somebody. Nothing is said of a tracked deletion's blank, nor of an updated contents."""

    def change(body: Any) -> None:
        for one in list(body.iter(f"{{{W}}}p")):
            said = "".join(word.text or "" for word in one.iter(f"{{{W}}}t"))
            if said == "Voici.":
                one.addnext(paragraph(p(ins(r("Mme Durand a dit")))))
                one.addnext(paragraph(p(r("Encore un."))))
                one.addnext(paragraph(p(gone("effacé"))))
            if said.startswith("Évaluation du contrat"):
                one.addprevious(paragraph(p(r("Avant."))))
        body.insert(0, paragraph(p(r("Résultats"), r("3"), properties='<w:pStyle w:val="TOC1"/>')))

    docx = with_body(make_docx(), change)
    result = actions.import_texts(word_file(dossier, docx), dossier)
    (fault,) = result.faults
    assert fault.code == "DON-125"
    assert "3 paragraphes ajoutés ou changés" in fault.read
    assert f"2 sous {quote('Résultats')}" in fault.read
    assert "1 avant le premier titre" in fault.read
    assert "Durand" not in result.report()
    assert "zone à écrire" in result.report()


def test_what_is_removed_outside_the_sections_is_counted(dossier: Path) -> None:
    def change(body: Any) -> None:
        for one in list(body.iter(f"{{{W}}}p")):
            if "".join(word.text or "" for word in one.iter(f"{{{W}}}t")) == "Voici.":
                one.getparent().remove(one)

    (fault,) = actions.import_texts(word_file(dossier, with_body(make_docx(), change)), dossier).faults
    assert (fault.code, fault.read) == ("DON-125", "1 paragraphe retiré")


def test_a_list_of_prints_cut_by_a_program_accuses_nobody(dossier: Path) -> None:
    """Properties are known to be cut at 255 characters here and there: nothing is said then, rather than everything."""
    docx = make_docx()
    custom = part(docx, "docProps/custom.xml")
    (held,) = [one for one in custom if one.get("name") == REST_PROPERTY]
    held[0].text = held[0].text[:30]
    cut = replace_part(docx, "docProps/custom.xml", etree.tostring(custom))
    assert actions.import_texts(word_file(dossier, cut), dossier).faults == ()


def test_the_example_of_text_outside_the_sections_is_told(dossier: Path) -> None:
    (fault,) = actions.import_texts(FAULTY / "DON-125-hors-des-zones.docx", dossier).faults
    assert fault.code == "DON-125"


def test_a_section_pasted_inside_another_is_read_once(dossier: Path) -> None:
    """Word lets a zone be dropped in another: its words belong to the inner one alone."""
    docx = typed(typed(make_docx(), "presentation", [p(r("Dehors."))]), "q1", [p(r("Dedans."))])

    def nest(body: Any) -> None:
        tags = {one.find(f"{{{W}}}sdtPr/{{{W}}}tag"): one for one in body.iter(f"{{{W}}}sdt")}
        found = {tag.get(f"{{{W}}}val").split(":")[1]: one for tag, one in tags.items() if tag is not None}
        found["presentation"].find(f"{{{W}}}sdtContent").append(found["q1"])

    take(dossier, with_body(docx, nest))
    assert text_file(dossier, "presentation").read_text(encoding="utf-8") == "Dehors.\n"
    assert text_file(dossier, "q1").read_text(encoding="utf-8") == "Dedans.\n"


def test_what_waits_to_be_merged_is_recalled(dossier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``verifier`` names it until it is gone; the report itself does not change."""
    shutil.copytree(ROOT / "sample_data" / "2022" / "ardelle", dossier.parent / "ardelle")
    ardelle = dossier.parent / "ardelle"
    shutil.copy(ROOT / "sample_data" / "2022" / "campagne.yml", dossier.parent)
    before = actions.verify(ardelle)
    waiting = ardelle / "textes" / "a-reprendre" / "q1.md"
    waiting.parent.mkdir(parents=True, exist_ok=True)
    waiting.write_text("Un mot.", encoding="utf-8")
    after = actions.verify(ardelle)
    (said,) = set(after.missing["ardelle"]) - set(before.missing["ardelle"])
    assert said.startswith("textes/a-reprendre/q1.md")
    assert said.endswith("supprimez ce fichier"), "et non le dossier textes/"
    assert after.faults == before.faults


def test_a_person_named_in_word_is_told_when_taken_and_when_printed(
    dossier: Path,
) -> None:
    """The text goes to everybody: said by ``importer textes``, then by ``rapport``, which ends with what to read again."""
    ardelle = dossier.parent.parent / "2022" / "ardelle"
    shutil.copytree(ROOT / "sample_data" / "2022" / "ardelle", ardelle)
    (ardelle / "suivis.csv").unlink()  # they need the campaign before
    campaign = (ROOT / "sample_data" / "2022" / "campagne.yml").read_text(encoding="utf-8").splitlines()
    alone = [line for line in campaign if not line.startswith(("reference_regionale", "campagne_precedente"))]
    (ardelle.parent / "campagne.yml").write_text("\n".join(alone), encoding="utf-8")
    file = dossier / "textes" / "q1.md"
    word = word_file(dossier, typed(make_docx(), "q1", [p(r("Voir Mme Hélène Marchand au 06 12 34 56 78."))]))
    result = actions.import_texts(word, dossier)
    assert [(fault.code, fault.place.line) for fault in result.faults] == [("DON-051", 1)]
    assert "DON-051" in result.report()
    (ardelle / "textes").mkdir(exist_ok=True)
    shutil.copy(file, ardelle / "textes" / "q1.md")
    made = actions.render_report(ardelle, dossier.parent / "sorties", formats=["html"])
    assert made.ok
    told, last = made.doubtful[0], made.doubtful[-1]
    assert "DON-051" in told
    assert "Marchand" not in told
    n = actions.verify(ardelle).n_warnings
    assert last == f"{n} point{'s' if n > 1 else ''} à relire : evalkit verifier {ardelle}"


def test_a_deleted_zone_touches_nothing_and_is_told(dossier: Path) -> None:
    text_file(dossier, "q1").write_text("Avant.", encoding="utf-8")
    docx = make_docx(texts={"q1": "Avant."})
    root = part(docx)
    for control in list(root.iter(f"{{{W}}}sdt")):
        tag = control.find(f"{{{W}}}sdtPr/{{{W}}}tag")
        if tag is not None and tag.get(f"{{{W}}}val").split(":")[1] == "q1":
            control.getparent().remove(control)
    result = actions.import_texts(
        word_file(dossier, replace_part(docx, "word/document.xml", etree.tostring(root))), dossier
    )
    assert [text.nom for text in result.textes] == ["presentation"]
    assert any("supprimée du document" in str(fault) for fault in result.faults)
    assert text_file(dossier, "q1").read_text(encoding="utf-8") == "Avant."


def test_a_text_changed_on_both_sides_is_told(dossier: Path) -> None:
    example = FAULTY / "DON-122-change-des-deux-cotes"
    shutil.copytree(example / "textes", dossier / "textes", dirs_exist_ok=True)
    result = actions.import_texts(example / "rapport.docx", dossier)
    assert [fault.code for fault in result.faults] == ["DON-122"]


def test_what_cannot_be_taken_is_told(dossier: Path) -> None:
    """The words around a picture or a table are taken; the picture and the shape of the table are said to be left."""
    result = actions.import_texts(FAULTY / "DON-123-image.docx", dossier)
    assert [(fault.code, fault.read) for fault in result.faults] == [("DON-123", "une image")]
    assert text_file(dossier, "q1").read_text(encoding="utf-8") == "Voyez la photo.\n"


MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
MATH = "http://schemas.openxmlformats.org/officeDocument/2006/math"


def twice(choice: str, fallback: str) -> str:
    """Something that Word writes in two ways, for programs of two ages."""
    inside = f'<mc:Choice Requires="x">{choice}</mc:Choice><mc:Fallback>{fallback}</mc:Fallback>'
    return f"<mc:AlternateContent {MC}>{inside}</mc:AlternateContent>"


def boxed(words: str, more: str = "") -> str:
    """A text box as Word writes it: the same words for a recent program and for an old one."""
    box = f"<w:txbxContent>{p(r(words))}</w:txbxContent>"
    return f"<w:r>{twice(f'<w:drawing>{more}{box}</w:drawing>', f'<w:pict>{box}</w:pict>')}</w:r>"


BLIP = '<a:blip xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"/>'
BOX = "la forme d’une zone de texte (ses mots sont repris)"
SIGN = '<s:symEx xmlns:s="http://schemas.microsoft.com/office/word/2015/wordml/symex" s:char="1F642"/>'
EMOJI = f"<w:r>{twice(SIGN, '<w:t>🙂</w:t>')}</w:r>"


@pytest.mark.parametrize(
    ("typed_in", "text", "told"),
    [
        (p(r("Voir "), boxed("Encadré.")), "Voir\n\nEncadré.\n", BOX),
        (p(r("Voir "), boxed("Encadré.", BLIP)), "Voir\n\nEncadré.\n", f"{BOX} ; une image"),
        (
            p(r("Fait "), '<w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>'),
            "Fait\n",
            "un signe d’une police de symboles",
        ),
        (p(r("Soit "), f'<m:oMath xmlns:m="{MATH}"><m:r><m:t>x²</m:t></m:r></m:oMath>'), "Soit\n", "une équation"),
        (p(r("Un "), f"<w:r><w:ruby><w:rubyBase>{r('mot')}</w:rubyBase></w:ruby></w:r>"), "Un\n", "un texte annoté"),
        (p(r("Le "), f'<w:customXml w:element="ville">{r("contrat")}</w:customXml>'), "Le contrat\n", None),
        (p(r("Le "), f'<w:bdo w:val="ltr">{r("contrat")}</w:bdo>'), "Le contrat\n", None),
        (p(r("Le "), twice(r("contrat"), r("contrat"))), "Le contrat\n", None),
        (p(r("Bravo "), EMOJI), "Bravo 🙂\n", None),
    ],
    ids=[
        "zone de texte",
        "zone et image",
        "symbole",
        "équation",
        "annoté",
        "balise",
        "sens",
        "deux écritures",
        "emoji",
    ],
)
@pytest.mark.parametrize("dropped", [False, True], ids=["Word", "LibreOffice"])
def test_no_word_is_lost_nor_taken_twice_in_silence(
    typed_in: str, text: str, told: str | None, dropped: bool, dossier: Path
) -> None:
    """What the keyboard, the ribbon or a correction may put in a section: taken once, or said to be left."""
    docx = typed(make_docx(), "q1", [typed_in])
    result = actions.import_texts(word_file(dossier, unwrapped(docx) if dropped else docx), dossier)
    assert text_file(dossier, "q1").read_text(encoding="utf-8") == text
    assert [(fault.code, fault.read) for fault in result.faults] == ([("DON-123", told)] if told else [])


@pytest.mark.parametrize("content", [b"", b"pas un document", b"PK\x03\x04abime"])
def test_what_is_not_a_word_document_is_told(dossier: Path, content: bytes) -> None:
    assert refused(dossier, word_file(dossier, content)) == "DON-001"


def test_a_report_damaged_on_the_way_is_told(dossier: Path) -> None:
    """Wherever the damage falls in the text: a stick pulled out too soon, a mail cut short."""
    whole = make_docx()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        entry = archive.getinfo("word/document.xml")
    start = entry.header_offset + 30 + len(entry.filename)
    for place in range(start, start + entry.compress_size, 40):
        damaged = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        assert refused(dossier, word_file(dossier, damaged)) == "DON-001"


def test_an_entity_is_never_followed(dossier: Path, tmp_path: Path) -> None:
    """A document made to read a file of this machine reads nothing."""
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET", encoding="utf-8")
    docx = typed(make_docx(), "q1", [p(r("@@"))])
    raw = etree.tostring(part(docx)).replace(b"@@", b"&x;")
    hostile = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'.encode() + raw
    path = word_file(dossier, replace_part(docx, "word/document.xml", hostile))
    found = read_word_texts(path)
    assert all("SECRET" not in section.texte for section in found.sections)


def test_a_lone_workbook_has_no_place_for_texts(tmp_path: Path) -> None:
    book = tmp_path / "valbrune.xlsx"
    book.write_bytes(b"")
    word = tmp_path / "rapport.docx"
    word.write_bytes(make_docx())
    with pytest.raises(EvalkitError) as raised:
        actions.import_texts(word, book)
    assert raised.value.faults[0].code == "USA-003"


def test_the_account_is_plain_data_too(dossier: Path) -> None:
    docx = typed(make_docx(), "q1", [p(r("Une phrase."))])
    result = actions.import_texts(word_file(dossier, docx), dossier)
    told = json.loads(json.dumps(result.as_dict()))
    assert {text["nom"]: text["etat"] for text in told["textes"]} == {"presentation": "inchange", "q1": "repris"}
