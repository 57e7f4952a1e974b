-- What was given up, newest last: operators count it, and most jobs are not among it.
CREATE INDEX derivation_job_given_up ON derivation_job (updated_at)
    WHERE state = 'done' AND outcome NOT IN ('reviewable', 'still', 'audio');
CREATE INDEX transcription_job_given_up ON transcription_job (updated_at) WHERE state = 'done' AND outcome = 'failed';
CREATE INDEX redaction_job_given_up ON redaction_job (updated_at) WHERE state = 'refused';
CREATE INDEX export_job_given_up ON export_job (updated_at) WHERE state = 'refused';
