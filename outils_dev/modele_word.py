"""Fabriquer ``evalkit/report/templates/modele.docx`` : les styles des rapports Word, à partir de rien.

``python outils_dev/modele_word.py`` l'écrit ; ``--verifier`` échoue s'il n'est plus celui que ce fichier décrit. Une
personne n'a pas besoin de ce programme : elle ouvre sa copie du modèle dans Word et modifie les styles.
"""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "evalkit" / "report" / "templates" / "modele.docx"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
INK, QUIET, ACCENT, ALERT, RULE, PALE = "1B1F24", "4D5660", "1F4E79", "8A1C1C", "C9CFD6", "F4F6F8"
FONT = "Calibri"
DATE = "2022-01-01T00:00:00Z"


def fonts(name: str = FONT) -> str:
    return f'<w:rFonts w:ascii="{name}" w:hAnsi="{name}" w:eastAsia="{name}" w:cs="{name}"/>'


def run(
    *, size: float = 0, colour: str = "", bold: bool = False, italic: bool = False, caps: bool = False, spacing: int = 0
) -> str:
    parts = [
        "<w:b/>" if bold else "",
        "<w:i/>" if italic else "",
        "<w:caps/>" if caps else "",
        f'<w:color w:val="{colour}"/>' if colour else "",
        f'<w:spacing w:val="{spacing}"/>' if spacing else "",
        f'<w:sz w:val="{round(size * 2)}"/><w:szCs w:val="{round(size * 2)}"/>' if size else "",
    ]
    return f"<w:rPr>{''.join(parts)}</w:rPr>" if any(parts) else ""


def paragraph(
    *, before: int = 0, after: int = 0, line: int = 0, keep: bool = False, level: int | None = None, jc: str = "",
    left: int = 0, hanging: int = 0, right: int = 0, border: str = "", shade: str = "", tabs: str = "", num: int = 0,
    lines_together: bool = False,
) -> str:  # fmt: skip
    """Propriétés de paragraphe, dans l'ordre que la norme impose ; ``before``, ``after`` en vingtièmes de point."""
    spacing = f' w:line="{line}" w:lineRule="auto"' if line else ""
    indent = "".join(
        f' w:{name}="{value}"' for name, value in (("left", left), ("right", right), ("hanging", hanging)) if value
    )
    parts = [
        "<w:keepNext/>" if keep else "",
        "<w:keepLines/>" if keep or lines_together else "",
        "<w:widowControl/>",
        f'<w:numPr><w:numId w:val="{num}"/></w:numPr>' if num else "",
        border,
        f'<w:shd w:val="clear" w:color="auto" w:fill="{shade}"/>' if shade else "",
        f"<w:tabs>{tabs}</w:tabs>" if tabs else "",
        f'<w:spacing w:before="{before}" w:after="{after}"{spacing}/>',
        f"<w:ind{indent}/>" if indent else "",
        f'<w:jc w:val="{jc}"/>' if jc else "",
        f'<w:outlineLvl w:val="{level}"/>' if level is not None else "",
    ]
    return f"<w:pPr>{''.join(parts)}</w:pPr>"


def edge(side: str, colour: str, size: int = 8, space: int = 4) -> str:
    return f'<w:{side} w:val="single" w:sz="{size}" w:space="{space}" w:color="{colour}"/>'


def style(
    identifier: str, name: str, properties: str = "", *, kind: str = "paragraph", based: str = "Normal",
    following: str = "", default: bool = False, primary: bool = True, priority: int = 10,
) -> str:  # fmt: skip
    parts = [
        f'<w:name w:val="{name}"/>',
        f'<w:basedOn w:val="{based}"/>' if based and not default else "",
        f'<w:next w:val="{following}"/>' if following else "",
        f'<w:uiPriority w:val="{priority}"/>',
        "<w:qFormat/>" if primary else "",
        properties,
    ]
    own = "" if name[0].islower() or name in BUILT_IN else ' w:customStyle="1"'
    first = ' w:default="1"' if default else ""
    return f'<w:style w:type="{kind}"{first}{own} w:styleId="{identifier}">{"".join(parts)}</w:style>'


BUILT_IN = {
    "Normal", "Subtitle", "List Bullet", "List Number", "Quote", "Strong", "Emphasis", "Hyperlink", "Placeholder Text",
    "Default Paragraph Font", "Normal Table", "No List", "TOC Heading",
}  # fmt: skip


def headings() -> list[str]:
    rule = f"<w:pBdr>{edge('top', ACCENT, 12, 6)}</w:pBdr>"
    look = [
        (paragraph(before=0, after=60, keep=True, level=0), run(size=22, colour=ACCENT, bold=True)),
        (paragraph(before=400, after=120, keep=True, level=1, border=rule), run(size=16, colour=ACCENT, bold=True)),
        (paragraph(before=280, after=80, keep=True, level=2), run(size=12.5, colour=INK, bold=True)),
        (paragraph(before=200, after=60, keep=True, level=3), run(size=11, colour=INK, bold=True)),
    ]
    return [
        style(f"Heading{n}", f"heading {n}", "".join(properties), following="Normal", priority=9)
        for n, properties in enumerate(look, start=1)
    ]


def styles() -> str:
    box = "<w:pBdr>" + edge("left", ACCENT, 24, 8) + "</w:pBdr>"
    frame = "<w:pBdr>" + "".join(edge(side, ALERT, 8, 3) for side in ("top", "left", "bottom", "right")) + "</w:pBdr>"
    quote = "<w:pBdr>" + edge("left", RULE, 24, 8) + "</w:pBdr>"
    every = [
        style("Normal", "Normal", paragraph(after=120, line=269) + run(size=10.5), default=True, priority=0),
        *headings(),
        style("Subtitle", "Subtitle", paragraph(after=200) + run(size=12, colour=QUIET)),
        style("Caption", "caption", paragraph(before=160, after=60, keep=True) + run(size=10, bold=True, colour=INK)),
        style("ListBullet", "List Bullet", paragraph(after=60, line=259, num=1)),
        style("ListNumber", "List Number", paragraph(after=60, line=259, num=2)),
        style("Quote", "Quote", paragraph(before=60, after=120, left=284, border=quote) + run(italic=True)),
        style("EvalkitNote", "Evalkit Note", paragraph(after=120) + run(size=9, colour=QUIET)),
        style(
            "EvalkitEncadre",
            "Evalkit Encadré",
            paragraph(before=120, after=120, left=170, border=box, shade=PALE, lines_together=True),
        ),
        style(
            "EvalkitMarque",
            "Evalkit Marque",
            paragraph(after=160, jc="center", border=frame) + run(size=10.5, bold=True, colour=ALERT, spacing=30),
        ),
        style(
            "EvalkitFiche",
            "Evalkit Fiche",
            paragraph(after=40, left=2835, hanging=2835, tabs='<w:tab w:val="left" w:pos="2835"/>'),
        ),
        style("EvalkitTerme", "Evalkit Terme", paragraph(before=80, after=0, keep=True) + run(bold=True)),
        style("EvalkitDefinition", "Evalkit Définition", paragraph(after=60, left=284)),
        style("EvalkitFigure", "Evalkit Figure", paragraph(before=60, after=60)),
        style("EvalkitCellule", "Evalkit Cellule", paragraph(before=20, after=20, line=240) + run(size=8.5)),
        style("EvalkitATeteColonne", "Evalkit Titre de colonne", run(bold=True), based="EvalkitCellule"),
        style("TOCHeading", "TOC Heading", paragraph(before=240, after=80, keep=True) + run(size=12, bold=True)),
        *(
            style(f"TOC{n}", f"toc {n}", paragraph(after=10, left=200 * (n - 1)) + run(size=9.5), primary=False, priority=39)
            for n in (1, 2, 3)
        ),
        style("Header", "header", paragraph(tabs='<w:tab w:val="right" w:pos="9638"/>') + run(size=8, colour=QUIET)),
        style("Footer", "footer", paragraph(tabs='<w:tab w:val="right" w:pos="9638"/>') + run(size=7.5, colour=QUIET)),
        style("DefaultParagraphFont", "Default Paragraph Font", kind="character", based="", default=True, primary=False),
        style("Strong", "Strong", run(bold=True), kind="character", based="DefaultParagraphFont"),
        style("Emphasis", "Emphasis", run(italic=True), kind="character", based="DefaultParagraphFont"),
        style("EvalkitAbsent", "Evalkit Absent", run(italic=True, colour=QUIET), kind="character", based="DefaultParagraphFont"),
        style("EvalkitPetit", "Evalkit Petit", run(size=8.5, colour=QUIET), kind="character", based="DefaultParagraphFont"),
        style("Hyperlink", "Hyperlink", run(colour=ACCENT), kind="character", based="DefaultParagraphFont"),
        style("PlaceholderText", "Placeholder Text", run(italic=True, colour=QUIET), kind="character", based="DefaultParagraphFont"),
        table_normal(),
        table_style(),
        style("NoList", "No List", kind="numbering", based="", default=True, primary=False),
    ]  # fmt: skip
    defaults = (
        f'<w:docDefaults><w:rPrDefault><w:rPr>{fonts()}<w:color w:val="{INK}"/><w:sz w:val="21"/><w:szCs w:val="21"/>'
        '<w:lang w:val="fr-FR" w:eastAsia="fr-FR" w:bidi="fr-FR"/></w:rPr></w:rPrDefault>'
        "<w:pPrDefault/></w:docDefaults>"
    )
    return f'<w:styles xmlns:w="{W}">{defaults}{"".join(every)}</w:styles>'


def table_normal() -> str:
    cells = "".join(
        f'<w:{side} w:w="{width}" w:type="dxa"/>'
        for side, width in (("top", 0), ("left", 108), ("bottom", 0), ("right", 108))
    )
    return style(
        "TableNormal", "Normal Table", f'<w:tblPr><w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar>{cells}</w:tblCellMar></w:tblPr>',
        kind="table", based="", default=True, primary=False, priority=99,
    )  # fmt: skip


def table_style() -> str:
    borders = edge("top", INK, 4, 0) + edge("bottom", RULE, 8, 0) + edge("insideH", RULE, 4, 0)
    cells = '<w:left w:w="70" w:type="dxa"/><w:right w:w="70" w:type="dxa"/>'
    head = (
        '<w:tblStylePr w:type="firstRow"><w:rPr><w:b/></w:rPr><w:tcPr><w:tcBorders>'
        + edge("bottom", INK, 12, 0)
        + f'</w:tcBorders><w:shd w:val="clear" w:color="auto" w:fill="{PALE}"/><w:vAlign w:val="bottom"/></w:tcPr></w:tblStylePr>'
    )
    properties = f"<w:tblPr><w:tblBorders>{borders}</w:tblBorders><w:tblCellMar>{cells}</w:tblCellMar></w:tblPr>{head}"
    return style("EvalkitTableau", "Evalkit Tableau", properties, kind="table", based="TableNormal")


def numbering() -> str:
    def abstract(number: int, kind: str, signs: tuple[str, ...]) -> str:
        levels = "".join(
            f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{sign}"/><w:lvlJc w:val="left"/>'
            f'<w:pPr><w:ind w:left="{397 * (n + 1)}" w:hanging="284"/></w:pPr></w:lvl>'
            for n, sign in enumerate(signs)
        )
        return f'<w:abstractNum w:abstractNumId="{number}"><w:multiLevelType w:val="hybridMultilevel"/>{levels}</w:abstractNum>'

    lists = abstract(1, "bullet", ("•", "–", "•")) + abstract(2, "decimal", ("%1.", "%2.", "%3."))
    used = "".join(f'<w:num w:numId="{n}"><w:abstractNumId w:val="{n}"/></w:num>' for n in (1, 2))
    return f'<w:numbering xmlns:w="{W}">{lists}{used}</w:numbering>'


def text(words: str, properties: str = "") -> str:
    return f'<w:r>{properties}<w:t xml:space="preserve">{words}</w:t></w:r>'


def field(name: str) -> str:
    return (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r><w:instrText xml:space="preserve"> {name} </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>1</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


def said(identifier: str, *runs: str) -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{identifier}"/></w:pPr>{"".join(runs)}</w:p>'


def header() -> str:
    mark = f'<w:rPr><w:b/><w:color w:val="{ALERT}"/></w:rPr>'
    first = said("Header", text("{territoire}"), "<w:r><w:tab/></w:r>", text("{marques}", mark))
    return f'<w:hdr xmlns:w="{W}">{first}{said("Header", text("{campagne}"))}</w:hdr>'


def footer() -> str:
    pages = [text("Page "), field("PAGE"), text(" / "), field("NUMPAGES")]
    line = said("Footer", text("{cachet}"), "<w:r><w:tab/></w:r>", *pages)
    return f'<w:ftr xmlns:w="{W}">{line}</w:ftr>'


GUIDE = (
    ("Heading1", "Modèle des rapports Word"),
    ("Normal", "Ce fichier règle l’apparence des rapports : polices, couleurs, marges, en-tête et pied de page. Son texte n’est pas repris."),
    ("Heading2", "Changer l’apparence"),
    ("ListBullet", "Titres, texte, légendes : modifiez le style (clic droit sur son nom dans le ruban, puis Modifier)."),
    ("ListBullet", "Tableaux : style de tableau « Evalkit Tableau »."),
    ("ListBullet", "Marges, format du papier : onglet Mise en page."),
    ("Heading2", "En-tête et pied de page"),
    ("Normal", "Les mots entre accolades sont remplacés par evalkit : {territoire}, {campagne}, {marques}, {cachet}. Déplacez-les, "
     "ajoutez votre logo (avec un texte de remplacement), mais gardez ces quatre mots : s’il en manque un, evalkit l’ajoute."),
    ("Caption", "Exemple de légende"),
    ("EvalkitNote", "Exemple de note sous un tableau."),
    ("EvalkitEncadre", "Exemple d’encadré."),
)  # fmt: skip


def document() -> str:
    body = "".join(said(identifier, text(words)) for identifier, words in GUIDE)
    section = (
        '<w:sectPr><w:headerReference w:type="default" r:id="rId4"/><w:footerReference w:type="default" r:id="rId5"/>'
        '<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1474" w:right="1134" w:bottom="1247" w:left="1134" '
        'w:header="624" w:footer="567" w:gutter="0"/></w:sectPr>'
    )
    return f'<w:document xmlns:w="{W}" xmlns:r="{R}"><w:body>{body}{section}</w:body></w:document>'


def settings() -> str:
    return (
        f'<w:settings xmlns:w="{W}"><w:zoom w:percent="100"/><w:defaultTabStop w:val="709"/>'
        '<w:characterSpacingControl w:val="doNotCompress"/><w:compat><w:compatSetting w:name="compatibilityMode" '
        'w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat><w:themeFontLang w:val="fr-FR"/>'
        '<w:decimalSymbol w:val=","/><w:listSeparator w:val=";"/></w:settings>'
    )


def core() -> str:
    return (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>Modèle des rapports Word</dc:title>'
        f'<dc:creator>evalkit</dc:creator><dcterms:created xsi:type="dcterms:W3CDTF">{DATE}</dcterms:created>'
        f'<dcterms:modified xsi:type="dcterms:W3CDTF">{DATE}</dcterms:modified><dc:language>fr-FR</dc:language></cp:coreProperties>'
    )


PARTS = {
    "document": (document, "officedocument.wordprocessingml.document.main", "/officeDocument", ""),
    "styles": (styles, "officedocument.wordprocessingml.styles", "/styles", "rId1"),
    "numbering": (numbering, "officedocument.wordprocessingml.numbering", "/numbering", "rId2"),
    "settings": (settings, "officedocument.wordprocessingml.settings", "/settings", "rId3"),
    "header1": (header, "officedocument.wordprocessingml.header", "/header", "rId4"),
    "footer1": (footer, "officedocument.wordprocessingml.footer", "/footer", "rId5"),
}


def make() -> bytes:
    """Octets du modèle : toujours les mêmes."""
    package = "http://schemas.openxmlformats.org/package/2006"
    types = "".join(
        f'<Override PartName="/word/{name}.xml" ContentType="application/vnd.openxmlformats-{kind}+xml"/>'
        for name, (_, kind, _, _) in PARTS.items()
    )
    links = "".join(
        f'<Relationship Id="{rid}" Type="{R}{link}" Target="{name}.xml"/>'
        for name, (_, _, link, rid) in PARTS.items()
        if rid
    )
    files = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
        f'{types}<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{R}/officeDocument" '
        f'Target="word/document.xml"/><Relationship Id="rId2" Type="{package}/relationships/metadata/core-properties" '
        'Target="docProps/core.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{package}/relationships">{links}</Relationships>',
        "docProps/core.xml": core(),
        **{f"word/{name}.xml": write() for name, (write, _, _, _) in PARTS.items()},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            archive.writestr(entry, (declaration + content).encode("utf-8"))
    return out.getvalue()


def contents(package: bytes) -> dict[str, bytes]:
    """Ce que contient un paquet, quelle que soit la façon dont il a été compressé."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


if __name__ == "__main__":
    if "--verifier" in sys.argv:
        same = TARGET.is_file() and contents(TARGET.read_bytes()) == contents(make())
        print("modele.docx est à jour" if same else "modele.docx n'est plus celui de outils_dev/modele_word.py")
        sys.exit(0 if same else 1)
    TARGET.write_bytes(make())
    print(f"écrit : {TARGET}")
