"""The configuration: one class per section, from which defaults, schema and tables are made."""

from gradaudit.pipeline.config.ladders import ladder as ladder
from gradaudit.pipeline.config.ladders import ladder_of as ladder_of
from gradaudit.pipeline.config.naming import check_names as check_names
from gradaudit.pipeline.config.reading import read as read
from gradaudit.pipeline.config.reading import study_of as study_of
from gradaudit.pipeline.config.slices import settings_of as settings_of
from gradaudit.pipeline.config.study import Study as Study
