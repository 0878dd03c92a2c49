"""What every test shares: generated cases are the same at each run when `CI=true`, new ones elsewhere."""

import os

from hypothesis import settings

# Une intégration qui échoue un jour sur dix n'apprend rien ; sur le poste de chacun, les cas changent et cherchent.
settings.register_profile("integration", derandomize=True)
if os.environ.get("CI") == "true":
    settings.load_profile("integration")
