-- Run once, by the image's entrypoint, when the data directory is empty. Passwords come from the environment, so none is in git
-- or in an argument list.
\getenv litellm_password LITELLM_PASSWORD
\getenv openwebui_password OPENWEBUI_PASSWORD

CREATE ROLE litellm LOGIN PASSWORD :'litellm_password';
CREATE DATABASE litellm OWNER litellm;

CREATE ROLE openwebui LOGIN PASSWORD :'openwebui_password';
CREATE DATABASE openwebui OWNER openwebui;
