"""What invented pilots wrote: successes, obstacles, the recommendations that answer them, and quotations.

``{quartier}`` is a neighbourhood of the territory, ``{ville}`` its main town.
"""

from __future__ import annotations

REUSSITES: dict[str, tuple[str, ...]] = {
    "Q1": (
        "Le comité de pilotage s’est tenu aux dates prévues, y compris en visioconférence pendant la crise sanitaire.",
        "Le comité technique mensuel est devenu le lieu où l’on règle les difficultés avant qu’elles ne remontent.",
        "La revue de projet annuelle, quartier par quartier, est citée par tous comme le moment le plus utile.",
        "Le sous-préfet et le vice-président coprésident réellement : les décisions sont prises en séance.",
        "L’instruction des dossiers se fait à une seule table, avec les avis de chaque financeur inscrits au tableau partagé.",
        "Chaque commune a désigné un interlocuteur unique, connu des associations et des bailleurs.",
        "Les directions de l’agglomération participent désormais aux réunions sur {quartier} sans qu’il faille les relancer.",
        "Le calendrier de la programmation a été avancé de deux mois par rapport à la période précédente.",
        "La feuille de route tient sur quatre pages et tout le monde l’utilise.",
    ),
    "Q2": (
        "La mission locale a ouvert une permanence hebdomadaire à {quartier} sur ses moyens ordinaires.",
        "L’inspection académique a présenté, école par école, les moyens réellement affectés aux quartiers.",
        "La caisse d’allocations familiales a inscrit {quartier} dans ses priorités sans attendre les crédits spécifiques.",
        "Le service de l’emploi suit désormais à part les demandeurs d’emploi des quartiers, et partage ses chiffres.",
        "Le département a repris à son compte deux actions de prévention financées jusque-là par le contrat.",
        "Les horaires de la médiathèque de {ville} ont été revus avec les habitants, sans dépense nouvelle.",
        "Le service des sports a réservé des créneaux aux clubs des quartiers dans les gymnases du centre.",
        "Un premier tableau des moyens de droit commun existe : il est incomplet, mais il est partagé.",
        "Les bailleurs rendent compte chaque année de l’emploi de l’abattement de taxe foncière, quartier par quartier.",
    ),
    "Q3": (
        "Deux conseillers citoyens siègent à chaque comité de pilotage et reçoivent le dossier dix jours avant.",
        "Le conseil citoyen de {quartier} a obtenu le déplacement de l’arrêt de bus devant le groupe scolaire.",
        "Une maison du projet prête un local, un ordinateur et un téléphone au conseil citoyen.",
        "L’adulte-relais qui anime le conseil est connu de tous et va chercher ceux qui ne viennent pas.",
        "Les marches exploratoires ont débouché sur huit corrections d’éclairage faites dans l’année.",
        "La formation à la prise de parole a changé la façon dont les réunions se passent.",
        "Le fonds de participation des habitants est instruit par les conseillers eux-mêmes, avec un règlement simple.",
        "Le rapport annuel a été remis aux conseils citoyens assez tôt pour que leur avis y soit joint.",
        "Trois jeunes ont rejoint le conseil après le chantier éducatif du printemps.",
    ),
    "Q4": (
        "La réunion de lancement de l’appel à projets, ouverte à tous, a fait venir onze associations nouvelles.",
        "Les conventions pluriannuelles ont donné aux centres sociaux une visibilité de trois ans.",
        "Un agent reçoit les petites associations avant le dépôt et relit les budgets avec elles.",
        "Le forum de {quartier} permet aux associations de se répartir les vacances scolaires.",
        "L’acompte de moitié est versé dès la notification, ce qui évite les avances sur fonds propres.",
        "Le prêt de salles est gratuit et réservable en ligne par toutes les associations financées.",
        "Deux clubs ont mutualisé un poste d’animateur grâce à l’appui du dispositif local d’accompagnement.",
        "La grille de critères est publiée avec l’appel à projets : les refus sont mieux compris.",
        "Les associations des quartiers participent au jury du budget participatif de la ville.",
    ),
    "LCD": (
        "Une permanence du délégué du Défenseur des droits se tient chaque mois à {ville}.",
        "Le sujet est nommé dans le contrat et un élu en porte la délégation.",
        "Les agents d’accueil ont été formés, avec des situations tirées de leur travail.",
        "Un groupe réunit employeurs, bailleurs et associations autour de situations réelles.",
    ),
    "EFH": (
        "Les données de fréquentation des équipements sont relevées par sexe depuis deux ans.",
        "Le skate-parc de {quartier} a été repensé avec un groupe de jeunes filles.",
        "La garde d’enfants est proposée à chaque réunion du conseil citoyen.",
        "Le dossier de demande comporte une question obligatoire sur la place des femmes dans l’action.",
    ),
}

# (obstacle, recommendation that answers it, function in charge)
FREINS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Q1": (
        (
            "Les élus des petites communes ne viennent plus au comité de pilotage, faute de sujets qui les concernent.",
            "Réserver un point de l’ordre du jour à une commune différente à chaque séance, préparé avec son maire.",
            "vice-présidence politique de la ville",
        ),
        (
            "Trois chefs de projet se sont succédé en quatre ans ; chaque départ a fait perdre des mois.",
            "Tenir un carnet de bord du contrat et prévoir un mois de recouvrement à chaque départ.",
            "direction des ressources humaines",
        ),
        (
            "Personne ne sait dire qui décide entre le comité technique et le comité des financeurs.",
            "Écrire une page qui dit qui instruit, qui décide et qui est informé, et la joindre aux convocations.",
            "chef de projet du contrat",
        ),
        (
            "Les données promises par les signataires arrivent après la séance où elles devaient servir.",
            "Fixer avec chaque signataire deux dates d’envoi par an, inscrites dans une annexe au contrat.",
            "délégué du préfet",
        ),
        (
            "Les bilans d’actions sont rangés sans être lus.",
            "Lire ensemble, chaque automne, les bilans d’un thème et en tirer trois décisions.",
            "comité technique",
        ),
        (
            "Le contrat, le projet de renouvellement urbain et le contrat local de santé se pilotent sans se parler.",
            "Organiser une conférence annuelle des trois démarches, avec un ordre du jour unique.",
            "direction générale adjointe aux solidarités",
        ),
        (
            "Les objectifs du contrat sont trop nombreux pour être suivis.",
            "Ramener le suivi à huit objectifs, chacun avec un indicateur que l’on sait remplir.",
            "chargé d’évaluation",
        ),
        (
            "Le délai entre le dépôt d’un dossier et la réponse dépasse six mois.",
            "Publier le calendrier complet de la programmation avant l’ouverture de l’appel à projets.",
            "service politique de la ville",
        ),
        (
            "Les comptes rendus ne sont pas diffusés aux communes.",
            "Envoyer le relevé de décisions dans les dix jours à tous les signataires.",
            "secrétariat du contrat",
        ),
    ),
    "Q2": (
        (
            "Les crédits du contrat financent des activités qui relèvent de la compétence ordinaire des communes.",
            "Établir, action par action, la liste de ce qui doit être repris par le droit commun d’ici deux ans.",
            "comité des financeurs",
        ),
        (
            "Aucun signataire ne sait compter ses bénéficiaires à l’échelle de {quartier}.",
            "Expérimenter avec deux signataires le géocodage des adresses, sous convention.",
            "service de l’observation",
        ),
        (
            "Les engagements de droit commun du contrat tiennent en une phrase générale par partenaire.",
            "Demander à chaque signataire un engagement chiffré et daté, revu chaque année en comité de pilotage.",
            "sous-préfecture",
        ),
        (
            "La ligne de bus qui dessert {quartier} s’arrête à dix-neuf heures.",
            "Inscrire la desserte du soir à l’ordre du jour de la prochaine révision du réseau.",
            "direction des mobilités",
        ),
        (
            "Le référent désigné par un grand partenaire a changé sans être remplacé.",
            "Demander à chaque signataire deux référents, un titulaire et un suppléant, par courrier cosigné.",
            "délégué du préfet",
        ),
        (
            "Les règles nationales d’un dispositif ne permettent pas de l’ouvrir aux habitants du quartier.",
            "Documenter trois cas précis et les transmettre au préfet pour une demande de dérogation.",
            "chef de projet du contrat",
        ),
        (
            "Quand une action marche, elle reste financée par le contrat : rien ne prévoit la suite.",
            "Prévoir dès la première convention la clause de relais et la date à laquelle on en discute.",
            "comité des financeurs",
        ),
        (
            "Les professionnels de santé ont quitté {quartier} et aucune permanence ne les remplace.",
            "Étudier avec l’hôpital de {ville} une consultation avancée deux demi-journées par semaine.",
            "contrat local de santé",
        ),
        (
            "Le mot « droit commun » n’a pas le même sens pour tous autour de la table.",
            "Adopter une définition d’une page, avec cinq exemples locaux, et s’y tenir.",
            "comité d’évaluation",
        ),
    ),
    "Q3": (
        (
            "Le conseil citoyen ne compte plus que sept membres actifs, toujours les mêmes.",
            "Relancer un appel à volontaires dans les écoles et les halls, porté par les conseillers eux-mêmes.",
            "animateur du conseil citoyen",
        ),
        (
            "Les documents arrivent l’avant-veille : impossible de préparer un avis.",
            "Garantir un délai d’envoi de dix jours et une réunion de préparation avant chaque comité de pilotage.",
            "service politique de la ville",
        ),
        (
            "Les propositions des conseillers restent sans réponse écrite.",
            "Tenir un registre public des propositions, avec la réponse motivée et sa date.",
            "vice-présidence politique de la ville",
        ),
        (
            "Le conseil n’a ni local ni budget à lui.",
            "Affecter un local partagé et une enveloppe annuelle gérée par une association porteuse.",
            "ville de {ville}",
        ),
        (
            "Les réunions ont lieu à dix-sept heures, quand la plupart des habitants travaillent.",
            "Alterner les horaires et proposer une garde d’enfants et un covoiturage.",
            "animateur du conseil citoyen",
        ),
        (
            "Les conseillers disent parler de tout sauf du projet urbain de {quartier}.",
            "Inviter de droit deux conseillers au comité technique du renouvellement urbain.",
            "direction du renouvellement urbain",
        ),
        (
            "La moitié des conseillers n’a suivi aucune formation depuis son entrée.",
            "Proposer chaque année deux journées de formation avec le centre de ressources régional.",
            "chef de projet du contrat",
        ),
        (
            "Les associations du quartier connaissent mal le conseil et ce qu’il fait.",
            "Faire présenter le conseil par un conseiller à chaque réunion d’associations.",
            "coordination associative",
        ),
        (
            "Les jeunes ne se reconnaissent pas dans le conseil citoyen.",
            "Ouvrir un collège jeunes avec le centre social et lui confier un projet dès la première année.",
            "centre social",
        ),
    ),
    "Q4": (
        (
            "Les petites associations renoncent devant le nombre de pièces à fournir.",
            "Accepter un dossier simplifié au-dessous de trois mille euros.",
            "comité des financeurs",
        ),
        (
            "Les subventions sont versées en novembre pour des actions commencées en février.",
            "Verser un acompte de moitié à la notification et publier les délais constatés.",
            "direction des finances",
        ),
        (
            "Une même dizaine d’associations reçoit l’essentiel des crédits depuis le début du contrat.",
            "Réserver une part de l’enveloppe aux premières demandes et suivre le renouvellement des porteurs.",
            "comité des financeurs",
        ),
        (
            "Les associations qui interviennent à {quartier} n’y ont pas de local.",
            "Recenser les rez-de-chaussée vacants avec les bailleurs et en ouvrir deux au partage.",
            "bailleurs sociaux",
        ),
        (
            "Le soutien va au projet nouveau, jamais au fonctionnement.",
            "Transformer trois conventions annuelles en conventions d’objectifs pluriannuelles.",
            "sous-préfecture",
        ),
        (
            "Les bénévoles s’épuisent et les présidents ne trouvent pas de relève.",
            "Financer un parcours de formation de bénévoles commun aux quartiers du territoire.",
            "maison des associations",
        ),
        (
            "Deux associations proposent la même action à la même heure, sans le savoir.",
            "Réunir les porteurs d’un même thème avant le dépôt des dossiers.",
            "coordination associative",
        ),
        (
            "Personne ne sait ce que deviennent les associations qui ne sont pas retenues.",
            "Motiver chaque refus par écrit et proposer un rendez-vous.",
            "service politique de la ville",
        ),
        (
            "L’effet des actions sur les habitants n’est décrit que par un nombre de participants.",
            "Choisir avec les porteurs un effet à observer et une façon simple de le constater.",
            "chargé d’évaluation",
        ),
    ),
    "LCD": (
        (
            "Le sujet est jugé sensible et disparaît des ordres du jour.",
            "Inscrire un point annuel en assemblée, préparé par un groupe restreint.",
            "élu référent",
        ),
        (
            "Aucune donnée locale ne permet de dire où les discriminations se produisent.",
            "Recueillir pendant six mois les situations rencontrées par les relais d’accueil, sans donnée nominative.",
            "point-justice",
        ),
        (
            "Les personnes ne savent pas vers qui se tourner.",
            "Diffuser une fiche unique d’orientation dans tous les lieux d’accueil des quartiers.",
            "service d’accès au droit",
        ),
        (
            "La formation n’a touché que l’équipe du contrat.",
            "Étendre la formation aux agents d’accueil, aux bailleurs et aux clubs sportifs.",
            "direction des ressources humaines",
        ),
    ),
    "EFH": (
        (
            "Les équipements sportifs de {quartier} sont occupés presque uniquement par des garçons.",
            "Réserver des créneaux mixtes et féminins, décidés avec les clubs, et en mesurer l’usage.",
            "service des sports",
        ),
        (
            "Le rapport annuel ne présente presque aucune donnée par sexe.",
            "Demander la ventilation par sexe dans tous les bilans à partir de la prochaine programmation.",
            "service politique de la ville",
        ),
        (
            "Le critère d’égalité de l’appel à projets n’est pas noté.",
            "Noter ce critère et accompagner les porteurs qui n’y répondent pas.",
            "comité des financeurs",
        ),
        (
            "Les femmes sont nombreuses dans les actions, rares dans les instances.",
            "Viser la parité des représentants dans chaque instance et suivre la prise de parole.",
            "animateur du conseil citoyen",
        ),
    ),
}

ACTIONS: dict[str, tuple[str, ...]] = {
    "Q1": (
        "Adopter le relevé de décisions d’une page dès le prochain comité de pilotage.",
        "Ouvrir un espace de documents commun à tous les signataires.",
        "Installer un comité d’évaluation où siègent deux habitants.",
        "Partager le calendrier des instances avec l’intercommunalité voisine.",
    ),
    "Q2": (
        "Remplir le tableau des moyens ordinaires pour l’emploi et l’éducation avant l’été.",
        "Signer une convention bilatérale avec la caisse d’allocations familiales.",
        "Tester une permanence unique de services à {quartier} pendant six mois.",
        "Présenter au comité de pilotage les trois actions prêtes à être relayées.",
    ),
    "Q3": (
        "Ouvrir le registre des propositions à la maison du projet.",
        "Organiser une rencontre annuelle des conseils citoyens de l’arrondissement.",
        "Confier au conseil l’animation d’une marche exploratoire à {quartier}.",
        "Joindre l’avis des conseillers à la délibération sur le rapport annuel.",
    ),
    "Q4": (
        "Tenir deux ateliers d’aide au dépôt, un en journée et un en soirée.",
        "Publier la liste des actions financées et leur montant.",
        "Prêter le minibus municipal aux associations des quartiers.",
        "Réunir les porteurs d’actions de vacances chaque mois de mars.",
    ),
    "LCD": (
        "Former les agents d’accueil de {ville} en deux demi-journées.",
        "Accueillir une exposition préparée avec le lycée et un bailleur.",
    ),
    "EFH": (
        "Compter les présences par sexe dans les équipements pendant une semaine par trimestre.",
        "Conduire une marche de femmes à {quartier} et rendre compte de ses suites.",
    ),
}

VERBATIMS: dict[str, tuple[tuple[str, str], ...]] = {
    "Q1": (
        ("On se connaît mieux, on s’appelle avant d’écrire un courrier.", "interconnaissance"),
        ("Je ne sais toujours pas à quelle réunion se prend la décision.", "lisibilité"),
        ("Quand le délégué du préfet est là, les choses avancent.", "portage"),
        ("Nous découvrons l’ordre du jour en arrivant.", "préparation"),
        ("La revue de projet, c’est enfin un moment où on parle du quartier.", "revue de projet"),
    ),
    "Q2": (
        ("On nous demande d’aller vers les quartiers, mais avec les mêmes horaires et les mêmes agents.", "moyens"),
        ("La permanence du mardi a tout changé pour les jeunes.", "présence"),
        ("Le droit commun, chacun en parle, personne ne le compte.", "connaissance"),
        ("Sans les crédits de la ville, l’aide aux devoirs s’arrête.", "relais"),
        ("Mon service a fini par ouvrir le soir, et cela n’a rien coûté.", "adaptation"),
    ),
    "Q3": (
        ("On nous écoute poliment.", "écoute"),
        ("J’ai appris à parler devant le préfet, je n’aurais jamais cru.", "pouvoir d’agir"),
        ("Nous avons fait quinze propositions, on nous a répondu à quatre.", "suites"),
        ("Sans animatrice, le conseil n’existerait plus.", "animation"),
        ("Les réunions sont trop longues et trop tôt.", "organisation"),
        ("Le banc devant l’école, c’est nous !", "effets"),
    ),
    "Q4": (
        ("Je passe plus de temps sur le dossier que sur l’action.", "charge administrative"),
        ("La convention de trois ans nous a permis d’embaucher.", "pluriannualité"),
        ("On avance l’argent de notre poche jusqu’à l’automne.", "trésorerie"),
        ("Ici, on relit notre budget avec nous, ça change tout.", "accompagnement"),
        ("Les nouvelles associations ne savent même pas que l’appel à projets existe.", "accès"),
        ("Nous partageons le local à quatre, et on finit par faire des choses ensemble.", "coopération"),
    ),
    "LCD": (
        ("L’adresse sur le CV, ça compte encore.", "emploi"),
        ("On nous a enfin demandé comment cela se passe au guichet.", "accueil"),
    ),
    "EFH": (
        ("Le terrain, le soir, ce n’est pas pour nous.", "espace public"),
        ("Avec la garderie, j’ai pu venir à toutes les réunions.", "participation"),
    ),
}

# (title, theme, objective of the contract)
PROGRAMME: tuple[tuple[str, str, str], ...] = (
    ("Accompagnement à la scolarité", "éducation", "réussite éducative"),
    ("Ateliers de conversation française", "accès aux droits", "accès aux services"),
    ("Vacances sportives", "sport", "lien social"),
    ("Jardin partagé", "cadre de vie", "cadre de vie"),
    ("Permanence d’accès aux droits", "accès aux droits", "accès aux services"),
    ("Chantier éducatif du printemps", "emploi et insertion", "emploi des jeunes"),
    ("Parrainage vers l’emploi", "emploi et insertion", "emploi des jeunes"),
    ("Point santé mobile", "santé", "accès aux services"),
    ("Ateliers parents-enfants", "parentalité", "réussite éducative"),
    ("Festival des arts de la rue", "culture", "lien social"),
    ("Orchestre des quartiers", "culture", "réussite éducative"),
    ("Médiation de nuit", "tranquillité publique", "cadre de vie"),
    ("Initiation au numérique", "numérique", "accès aux services"),
    ("Couveuse d’activités", "développement économique", "création d’activité"),
    ("Ludothèque ambulante", "parentalité", "lien social"),
    ("Football au féminin", "sport", "égalité femmes-hommes"),
    ("Théâtre forum contre les préjugés", "lutte contre les discriminations", "lutte contre les discriminations"),
    ("Réparation de vélos", "mobilité", "cadre de vie"),
    ("Cuisine du monde et santé", "santé", "lien social"),
    ("Classe d’été", "éducation", "réussite éducative"),
    ("Marches exploratoires", "cadre de vie", "égalité femmes-hommes"),
    ("Journal de quartier", "participation des habitants", "lien social"),
    ("Fonds de participation des habitants", "participation des habitants", "lien social"),
    ("Remobilisation des décrocheurs", "éducation", "réussite éducative"),
    ("Permis solidaire", "mobilité", "emploi des jeunes"),
    ("Cinéma en plein air", "culture", "lien social"),
)
ORIGINES = ("atelier", "enquête", "document", "entretien", "analyse de la programmation")
SUIVIS: dict[str, tuple[str, ...]] = {
    "realise": (
        "Mis en place à la rentrée et maintenu depuis.",
        "Fait ; le comité de pilotage en a pris acte.",
        "Réalisé avec un an d’avance grâce à une commune volontaire.",
    ),
    "en_cours": (
        "Commencé dans deux communes sur trois.",
        "Engagé, le financement de la seconde année reste à trouver.",
        "En cours ; une première version est en discussion.",
    ),
    "reporte": ("Repoussé par la crise sanitaire, à reprendre.", "Attend l’arrivée du nouveau chef de projet."),
    "abandonne": ("Abandonné : la compétence a changé de collectivité.",),
    "sans_suite": ("Sans suite connue à ce jour.", "Personne n’en a été chargé."),
    "non_renseigne": ("",),
}
