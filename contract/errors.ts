/**
 * Every error that Veren names. `message` may hold `{placeholders}`, filled from the details given to `VerenError`.
 * `status` is the HTTP status where the API answers with it; `exitCode` is the builder's where the builder ends with it
 * (the task-watcher reads it back when the last event was lost). Only `transient` faults are ever retried.
 */
export interface ErrorRow {
  readonly fault: 'user' | 'platform' | 'transient';
  readonly status?: number;
  readonly exitCode?: number;
  readonly message: string;
  /** The message without details, for when the builder's last message was lost and only its exit code is known. */
  readonly lost?: string;
  /** What to do next; one sentence. */
  readonly action: string;
}

const table = {
  // --- HTTP ---------------------------------------------------------------------------------------------------------
  INVALID_REQUEST: {
    fault: 'user',
    status: 400,
    message: 'The request is not valid.',
    action: 'Correct every field named in "errors" and send it again.',
  },
  MALFORMED_JSON: {
    fault: 'user',
    status: 400,
    message: 'The body is not valid JSON: {reason}',
    action: 'Send one JSON object with Content-Type: application/json.',
  },
  BODY_TOO_LARGE: {
    fault: 'user',
    status: 413,
    message: 'The body is larger than {limit} bytes.',
    action: 'Send a smaller body.',
  },
  UNAUTHORIZED: {
    fault: 'user',
    status: 401,
    message: 'No valid token was given.',
    action: 'Send "Authorization: Bearer <token>".',
  },
  FORBIDDEN: {
    fault: 'user',
    status: 403,
    message: 'The token may not do this: {reason}',
    action: 'Use a token that may; an admin of the owner can make one with POST /tokens.',
  },
  RATE_LIMITED: {
    fault: 'user',
    status: 429,
    message: 'The owner is over a limit: {limit}',
    action: 'Try again in {seconds} s; the operator of the platform sets the limits, and GET /usage shows them.',
  },
  STORAGE_FULL: {
    fault: 'user',
    status: 429,
    message: "The owner's projects take {used} of the {limit} that they may take.",
    action: 'Delete projects or drop caches that are no longer needed, or ask the operator for a higher limit.',
  },
  NAME_TAKEN: {
    fault: 'user',
    status: 409,
    message: 'There is a {what} named "{name}" already.',
    action: 'Choose another name, or delete the one that has it.',
  },
  TOO_MANY: {
    fault: 'user',
    status: 409,
    message: 'The owner has {limit} {what} already, and that is the most.',
    action: 'Delete one that is no longer needed.',
  },
  HOST_NOT_SERVED: {
    fault: 'user',
    status: 421,
    message: 'This server does not answer for the host name {host}.',
    action: 'Use one of its own addresses; further names are given to the platform in VEREN_PUBLIC_URL or VEREN_HOSTS.',
  },
  ORIGIN_FORBIDDEN: {
    fault: 'user',
    status: 403,
    message: 'The request comes from a web page of another origin.',
    action: 'Call the API from a program, or serve the page from the same address as the API.',
  },
  REQUEST_INCOMPLETE: {
    fault: 'user',
    status: 400,
    message: 'The connection ended before the body was complete.',
    action: 'Send the request again.',
  },
  NOT_FOUND: { fault: 'user', status: 404, message: 'There is no {what} here.', action: 'Check the path and the id.' },
  METHOD_NOT_ALLOWED: {
    fault: 'user',
    status: 405,
    message: 'The method {method} is not allowed for this path.',
    action: 'See /docs for the methods of each path.',
  },
  ALREADY_FINISHED: {
    fault: 'user',
    status: 409,
    message: 'The deployment has already ended ({status}).',
    action: 'Redeploy it to build it again.',
  },
  ALREADY_PUBLISHED: {
    fault: 'user',
    status: 409,
    message: 'The deployment is being published and cannot be canceled any more.',
    action: 'Wait until it has ended, then deploy the version that is to replace it.',
  },
  NOT_RELEASABLE: {
    fault: 'user',
    status: 409,
    message: 'The deployment has nothing that could be released ({status}).',
    action: 'Release one that has succeeded; GET /deployments lists them.',
  },
  UNTRUSTED_NOT_RELEASABLE: {
    fault: 'user',
    status: 409,
    message: "The deployment is of a fork's pull request, whose code production does not show.",
    action: 'Merge the pull request: its commit is deployed and released as one of the project.',
  },
  DEPLOYMENT_EXPIRED: {
    fault: 'user',
    status: 409,
    message: 'The files of this deployment are not kept any more.',
    action: 'Redeploy it to build the same commit again.',
  },
  NO_RELEASE_BEFORE: {
    fault: 'user',
    status: 409,
    message: 'The project {projectId} has no release to go back to.',
    action:
      'Name a deployment in "deploymentId", or promote one; GET /projects/{projectId}/releases shows the history.',
  },
  VARIABLES_NOT_RELEASABLE: {
    fault: 'user',
    status: 409,
    message: 'The current variables cannot be released without a build: {reason}',
    action: 'Deploy again: a deployment is built, and started, with the current variables.',
  },
  GIT_URL_MISSING: {
    fault: 'user',
    status: 400,
    message: 'The request names no repository, and the project "{projectId}" has none in its settings.',
    action: 'Give "gitUrl" in the request, or once in the settings of the project.',
  },
  UPLOAD_INVALID: {
    fault: 'user',
    status: 400,
    message: 'The folder cannot be deployed as it is: {reason}',
    action: 'Rename or leave out what is named (.verenignore), and deploy again.',
  },
  UPLOAD_TOO_LARGE: {
    fault: 'user',
    status: 413,
    message: 'The folder is too large to be uploaded: {reason}',
    action: 'Leave out what the build does not need (.verenignore), or deploy it from a git host.',
  },
  UPLOAD_UNKNOWN: {
    fault: 'user',
    status: 404,
    message: 'The project "{projectId}" has no such upload, or no longer.',
    action: 'Upload the folder again ("veren deploy").',
  },
  UPLOAD_INCOMPLETE: {
    fault: 'user',
    status: 409,
    message: '{lacking} files of the upload have not arrived.',
    action: 'Send what "POST /projects/…/uploads" asks for, then deploy.',
  },
  UPLOAD_RATE_LIMITED: {
    fault: 'user',
    status: 429,
    message: 'The owner has uploaded {limit} different folders, or parts of folders, within an hour.',
    action: 'Try again in {seconds} s.',
  },
  UPLOAD_TIMEOUT: {
    fault: 'transient',
    message: 'The uploaded folder could not be packed within {seconds} s.',
    action: 'Deploy again; if the error persists, leave out what the build does not need (.verenignore).',
  },
  UPLOAD_DAMAGED: {
    fault: 'platform',
    message: 'What is stored of the uploaded file {path} is not what was announced.',
    action: 'Change the file, or report this to the operator; nothing of it was built.',
  },
  PROJECT_DELETING: {
    fault: 'user',
    status: 409,
    message: 'The project "{projectId}" is being deleted, so nothing of it can be changed.',
    action: 'Take that back with POST /projects/{projectId}/restore, or wait until it is gone.',
  },
  PROJECT_DELETED: {
    fault: 'user',
    status: 410,
    message: 'The project "{projectId}" was deleted by {by} at {at}: {removed} were removed.',
    action: 'Its name is free: PUT /projects/{projectId} or a deployment makes a new project.',
  },
  RESTORE_TOO_LATE: {
    fault: 'user',
    status: 409,
    message: 'The removal of the project "{projectId}" has begun and cannot be taken back.',
    action: 'Wait until it is gone, then deploy it anew.',
  },
  CONFIRMATION_WRONG: {
    fault: 'user',
    status: 400,
    message: 'To delete the project "{projectId}" at once, "confirm" has to be its name.',
    action:
      'Send DELETE /projects/{projectId}?confirm={projectId}, or leave "confirm" out for a deletion with a delay.',
  },
  DOMAIN_TAKEN: {
    fault: 'user',
    status: 409,
    message: 'The domain {name} belongs to another project.',
    action: 'Remove it there first, or prove by the TXT record {record} = {value} that it is yours, and add it again.',
  },
  DOMAIN_REFUSED: {
    fault: 'user',
    status: 409,
    message: 'The domain {name} cannot be added: {reason}',
    action: 'Choose another name.',
  },
  HOOK_REFUSED: {
    fault: 'user',
    status: 401,
    message: 'The delivery does not show that its sender knows the secret of a hook here.',
    action:
      'Give the hook at the git host the address and the secret that the API answered when it was asked for a webhook.',
  },
  NOT_CONNECTED: {
    fault: 'user',
    status: 409,
    message: 'The project "{projectId}" is not connected with a git host.',
    action: 'Set "connection" in its settings first.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    fault: 'user',
    status: 422,
    message: 'This Idempotency-Key was used for another request.',
    action: 'Use a new key for a new request.',
  },
  REQUEST_LOST: {
    fault: 'platform',
    status: 409,
    message: 'The request of this deployment is no longer known.',
    action: 'Send it again with POST /deployments.',
  },
  JOB_LOST: {
    fault: 'platform',
    message: 'The platform has lost the job of this deployment, so it cannot go on.',
    action: 'Redeploy it, or send its request again with POST /deployments.',
  },
  SECRETS_UNREADABLE: {
    fault: 'platform',
    status: 409,
    message: 'The git token and variables of this deployment cannot be decrypted: {reason}',
    action: 'Send the request again with POST /deployments; the operator can put the earlier key back.',
  },
  VARIABLES_UNREADABLE: {
    fault: 'platform',
    status: 409,
    message: 'The variable {name} of the project cannot be decrypted: {reason}',
    action: 'Set it again; the operator can put the earlier key back.',
  },
  VARIABLES_LOST: {
    fault: 'platform',
    status: 409,
    message: "Version {version} of the project's variables is no longer there.",
    action: 'Redeploy it: a new deployment has the variables that the project has now.',
  },
  TOO_MANY_VARIABLES: {
    fault: 'user',
    status: 422,
    message: 'The project would have too many variables for {environment}: {reason}.',
    action: 'Remove variables that are not used any more, or make values shorter.',
  },
  INTERNAL: {
    fault: 'platform',
    status: 500,
    message: 'Something went wrong on our side.',
    action: 'Try again; if the error persists, give the operator the "instance" of this answer.',
  },
  UNAVAILABLE: {
    fault: 'transient',
    status: 503,
    message: 'A service that is needed for this does not answer: {reason}',
    action: 'Try again in a few seconds.',
  },
  DISK_FULL: {
    fault: 'transient',
    status: 507,
    message: 'There is no space left on the disk of {path}.',
    action: 'Free some space there and try again; the platform needs no restart.',
  },
  MESSAGE_TOO_LARGE: {
    fault: 'platform',
    status: 500,
    message: 'A message of {bytes} bytes is over the limit of {limit}.',
    action: 'Make the repository or the request smaller, and report this to the operator.',
  },

  // --- the command line ---------------------------------------------------------------------------------------------
  CLI_USAGE: {
    fault: 'user',
    message: 'This cannot be run as it is given: {reason}',
    action: 'See "{help}".',
  },
  CLI_NOT_LOGGED_IN: {
    fault: 'user',
    message: 'No token is known for {address}.',
    action: 'Run "veren login", or set VEREN_TOKEN.',
  },
  CLI_NO_CONTEXT: {
    fault: 'user',
    message: 'It is not known which Veren is meant.',
    action: 'Run "veren login <address>", set VEREN_URL and VEREN_TOKEN, or start one here with "npm start".',
  },
  CLI_CONTEXT_UNKNOWN: {
    fault: 'user',
    message: 'There is no context "{name}".',
    action: '"veren contexts ls" lists those that are known.',
  },
  CLI_FILE_INVALID: {
    fault: 'user',
    message: '{file} cannot be read: {reason}',
    action: 'Correct it, or remove it and begin anew.',
  },
  CLI_TOKEN_FILE_FOREIGN: {
    fault: 'user',
    message: 'The platform of {file} is not used: {reason}. It may be a stranger who would be sent what is deployed.',
    action: 'If it is yours: "chmod 600" for the file, or "veren login <address> --token-file <file>".',
  },
  CLI_FILE_EXISTS: {
    fault: 'user',
    message: 'There is a file {file} already.',
    action: 'Name another one, or replace it with --force.',
  },
  CLI_ADDRESS_INSECURE: {
    fault: 'user',
    message: 'The token would be sent to {address} without encryption.',
    action: 'Use https, or add --insecure where you trust the network between.',
  },
  CLI_NO_TERMINAL: {
    fault: 'user',
    message: 'There is no terminal to ask for {what}.',
    action: 'Give it in the command: {how}.',
  },
  CLI_NO_PROJECT: {
    fault: 'user',
    message: 'It is not known which project is meant: {reason}',
    action: 'Name it with --project, or run "veren link" in its folder.',
  },
  CLI_LINK_COMMITTED: {
    fault: 'user',
    message: '{file} is part of the repository, so whoever wrote it has chosen the project "{projectId}".',
    action: 'Take it out of the repository, or say which project you mean with --project.',
  },
  CLI_NO_DEPLOYMENT: {
    fault: 'user',
    message: 'The project "{projectId}" has no deployment that could be meant.',
    action: 'Name one by its id; "veren ls" lists them.',
  },
  CLI_NO_REPOSITORY: {
    fault: 'user',
    message: 'The folder {folder} is in no git repository.',
    action: 'Give the URL of a repository, or upload the folder itself: veren deploy --folder.',
  },
  CLI_NO_COMMIT: {
    fault: 'user',
    message: 'The repository {folder} has no commit yet.',
    action: 'Commit ("git add --all", "git commit") and push, or upload the folder as it is: veren deploy --folder.',
  },
  CLI_NO_REMOTE: {
    fault: 'user',
    message: 'The repository {folder} has no remote, so the platform cannot read it.',
    action:
      'Push it to a git host ("git remote add origin <url>", "git push -u origin HEAD"), or upload the folder as it is: veren deploy --folder.',
  },
  CLI_NOT_PUSHED: {
    fault: 'user',
    message: 'The commit {commit} is not at the remote "{remote}", so the platform cannot read it.',
    action:
      'Push it ("git push {remote} HEAD"), deploy what is there with --ref, or upload the folder as it is: veren deploy --folder.',
  },
  CLI_FOLDER_TOO_WIDE: {
    fault: 'user',
    message: 'The folder {folder} holds more than an app, so it is not uploaded.',
    action: 'Run it in the folder of the app, or name that one: veren deploy <folder>.',
  },
  CLI_FILE_CHANGED: {
    fault: 'user',
    message: '{file} was changed while it was uploaded, so nothing was deployed.',
    action: 'Run it again when nothing writes to the folder any more.',
  },
  CLI_UPLOAD_REFUSED: {
    fault: 'platform',
    message: 'The object storage did not take {file}: {reason}',
    action: 'Run it again; what has arrived is not sent a second time.',
  },
  CLI_NO_ADDRESS: {
    fault: 'user',
    message: 'There is no address to open: {reason}',
    action: '"veren inspect" shows what the deployment has.',
  },

  // --- reading the repository ---------------------------------------------------------------------------------------
  GIT_URL_UNSUPPORTED: {
    fault: 'user',
    status: 400,
    message: 'The git URL cannot be used: {reason}',
    action: 'Give an https URL of a public git host, without user name or password in it.',
  },
  GIT_HOST_FORBIDDEN: {
    fault: 'user',
    status: 400,
    message: 'The git host {host} is not allowed: {reason}',
    action: 'Use a host with a public address.',
  },
  REPO_NOT_FOUND: {
    fault: 'user',
    status: 422,
    message: 'There is no readable repository at {url}.',
    action: 'Check the URL; for a private repository give "gitToken".',
  },
  REPO_AUTH_FAILED: {
    fault: 'user',
    status: 422,
    message: 'The git host refused the credentials for {url}.',
    action: 'Give a "gitToken" that may read the repository.',
  },
  REPO_EMPTY: {
    fault: 'user',
    status: 422,
    message: 'The repository at {url} has no commits.',
    action: 'Push a commit first.',
  },
  REF_NOT_FOUND: {
    fault: 'user',
    status: 422,
    message: 'There is no branch, tag or commit "{ref}" in {url}.',
    action: 'Check the name, or leave "ref" out for the default branch.',
  },
  SHORT_COMMIT_AMBIGUOUS: {
    fault: 'user',
    status: 422,
    message: 'Several commits begin with "{ref}": {commits}.',
    action: 'Give more digits of the one that is meant, or all 40.',
  },
  SHORT_COMMIT_UNRESOLVED: {
    fault: 'user',
    status: 422,
    message:
      'No branch or tag points at a commit that begins with "{ref}", and older commits cannot be searched: {reason}',
    action: 'Give all 40 digits of the commit id.',
  },
  REPO_TOO_LARGE: {
    fault: 'user',
    status: 422,
    message: 'The repository is over a limit: {reason}',
    action: 'Remove large files or folders from it, in its history too where the size is that of the download.',
  },
  GIT_TIMEOUT: {
    fault: 'transient',
    status: 504,
    message: 'The git host did not answer within {seconds} s.',
    action: 'Try again; if the error persists, check that the host is up.',
  },
  GIT_TOKEN_REFUSED: {
    fault: 'user',
    message: 'The git host {host} does not let the stored token write reports: {reason}',
    action: 'Store a token that may write commit statuses and comments of the repository; no deployment waits for it.',
  },
  GIT_TOKEN_ELSEWHERE: {
    fault: 'user',
    message: 'The stored token of the git host is for {origins}, and was not sent to {origin}.',
    action: 'Store it again where it is meant for this host, or put "gitUrl" and the connection\'s "apiUrl" back.',
  },
  GIT_DELIVERY_LOST: {
    fault: 'transient',
    message: 'What {host} told on {at} was given up, so nothing was deployed for it: {reason}',
    action: 'Push again, or deploy the branch with POST /deployments.',
  },
  GIT_WATCH_FAILED: {
    fault: 'transient',
    message: 'The repository that is watched could not be read, and is looked at more seldom: {reason}',
    action: 'Check "gitUrl" and the stored token; what was pushed meanwhile is deployed once it can be read again.',
  },
  WATCH_UNAVAILABLE: {
    fault: 'user',
    status: 422,
    message: 'Repositories are watched on a laptop only.',
    action: 'Leave "watch" out of the connection, and make a webhook at the git host (POST /projects/…/webhook).',
  },
  GIT_REPORT_REFUSED: {
    fault: 'user',
    message: 'The git host {host} did not take a report: {reason}',
    action: "Check the repository's name in the project's connection, and that the token reaches it.",
  },
  GIT_API_FORBIDDEN: {
    fault: 'user',
    status: 400,
    message: 'Reports may not be sent to {url}: {reason}',
    action:
      'Ask the operator to name the host in "gitApiHosts", or turn "statuses" and "comments" of the connection off.',
  },
  GIT_APP_MISSING: {
    fault: 'user',
    status: 404,
    message: 'The owner has no GitHub App.',
    action: 'Make one with POST /github-app/start, or take "app" out of the connection.',
  },
  GIT_APP_EXISTS: {
    fault: 'user',
    status: 409,
    message: 'The owner has a GitHub App already.',
    action: 'Use it, or forget it first with DELETE /github-app.',
  },
  GIT_APP_STATE_INVALID: {
    fault: 'user',
    status: 400,
    message: 'The state is none that this owner was given within the last hour.',
    action: 'Begin again with POST /github-app/start.',
  },
  GIT_APP_REFUSED: {
    fault: 'user',
    status: 422,
    message: 'The GitHub App gets no access at {host}: {reason}',
    action: 'Install the App on the repository with the rights that it asks for; GET /github-app says where.',
  },
  GIT_REPOSITORY_REPLACED: {
    fault: 'user',
    message:
      'What {host} tells of {repository} is of another repository than was connected, which had this name before.',
    action:
      'Where it is meant, say so: PATCH /projects/… with the "repository" of its "connection", or a new secret for the hook (POST /projects/…/webhook).',
  },
  GIT_HOST_UNREACHABLE: {
    fault: 'user',
    status: 422,
    message: 'The git host {host} cannot be reached: {reason}',
    action: 'Check the name of the host, its port and its certificate, and try again once they are right.',
  },
  GIT_HOST_UNANSWERED: {
    fault: 'transient',
    message: 'The git host {host} has not taken a report for a day: {reason}',
    action: 'Look at the state of the host; what happens from now on is reported to it again.',
  },
  NOTIFICATION_FORBIDDEN: {
    fault: 'user',
    status: 400,
    message: 'Notifications may not be sent to {host}: {reason}',
    action: 'Give an https address at a public host, without user name or password in it.',
  },
  EMAIL_UNAVAILABLE: {
    fault: 'user',
    status: 422,
    message: 'Notifications are sent by e-mail on AWS only.',
    action: 'Use a webhook or Slack here ("kind": "webhook" or "slack"), which what sends mail for you may take.',
  },
  MAIL_RATE_LIMITED: {
    fault: 'user',
    status: 429,
    message: 'The owner has had {limit} confirmations sent by e-mail within a day.',
    action: 'Try again in {seconds} s.',
  },
  NOTIFICATION_REFUSED: {
    fault: 'user',
    message: 'The notification "{name}" was not taken by {host}: {reason}',
    action: 'Check the address, delete the notification and make it again with the right one.',
  },
  NOTIFICATION_UNANSWERED: {
    fault: 'transient',
    message: 'The notification "{name}" could not be delivered to {host} for a day: {reason}',
    action: 'Look at the state of the host; what happens from now on is sent to it again.',
  },
  GIT_FAILED: {
    fault: 'transient',
    status: 502,
    message: 'git could not read {url}: {reason}',
    action: 'Try again; if the error persists, check the git host.',
  },

  // --- deciding what to build ---------------------------------------------------------------------------------------
  PATH_NOT_FOUND: {
    fault: 'user',
    status: 422,
    exitCode: 28,
    message: 'There is no folder "{path}" in the repository.',
    lost: 'The folder to build is not in the repository.',
    action: 'Correct the path, or leave it out to have it detected.',
  },
  NOTHING_TO_DEPLOY: {
    fault: 'user',
    status: 422,
    message: 'Nothing to deploy was found: {reason}',
    action:
      'Add a package.json with a build script or an index.html, or name a folder with "frontend.path" or "backend.path".',
  },
  MANIFEST_INVALID: {
    fault: 'user',
    status: 422,
    message: '{file} cannot be read: {reason}',
    action: 'Correct the file and push again.',
  },
  SETTINGS_FILE_INVALID: {
    fault: 'user',
    status: 422,
    message: '{file} is not valid: {faults}',
    action: 'Correct the file and push again; docs/veren-json.md lists every setting.',
  },
  NODE_VERSION_UNSUPPORTED: {
    fault: 'user',
    status: 422,
    message: '{file} asks for Node {wanted}; builders exist for {offered}.',
    action: 'Change it, or set "nodeVersion" in the request or in veren.json to force one.',
  },
  RUNTIME_VERSION_UNSUPPORTED: {
    fault: 'user',
    status: 422,
    message: '{file} asks for {runtime} {wanted}; builders exist for {offered}.',
    action: 'Change it, or set "runtime" in the request to force one.',
  },
  NEEDS_SERVER: {
    fault: 'user',
    status: 422,
    message: '{framework} in "{path}" renders on a server, so it cannot be published as a static site.',
    action: '{remedy}',
  },

  // --- building -----------------------------------------------------------------------------------------------------
  FETCH_FAILED: {
    fault: 'user',
    exitCode: 20,
    message: 'The commit could not be fetched (git exit code {exitCode}).',
    lost: 'The commit could not be fetched.',
    action: 'Check that the commit still exists and that the token may read it.',
  },
  SUBMODULE_FAILED: {
    fault: 'user',
    exitCode: 46,
    message: 'The submodule "{path}" could not be fetched: {reason}',
    lost: 'A submodule could not be fetched.',
    action: 'Correct .gitmodules, or deploy without "git.submodules".',
  },
  LFS_FAILED: {
    fault: 'user',
    exitCode: 47,
    message: 'The files of "{path}" in Git LFS could not be fetched: {reason}',
    lost: 'The files of the repository in Git LFS could not be fetched.',
    action: 'Check that they were pushed (`git lfs push`) and that the token may read it, or deploy without "git.lfs".',
  },
  INSTALL_LEFT_SECRET: {
    fault: 'user',
    exitCode: 29,
    message: 'The installation has left a variable that it alone may see in these files: {files}',
    lost: 'The installation has left a variable that it alone may see in a file.',
    action:
      'Commit a file that names the variable instead of holding its value (docs/variables.md has examples), let the install command remove the file, or let the build see the variable too.',
  },
  INSTALL_FAILED: {
    fault: 'user',
    exitCode: 21,
    message: 'The install command failed with exit code {exitCode}.',
    lost: 'The install command failed.',
    action: 'Run it at this commit on your machine; the log shows its output.',
  },
  LOCKFILE_OUT_OF_STEP: {
    fault: 'user',
    exitCode: 45,
    message: 'The lockfile is out of step with package.json: {reason}; "{command}" on your machine corrects it.',
    lost: 'The lockfile is out of step with package.json.',
    action: 'Commit the corrected lockfile.',
  },
  BUILD_FAILED: {
    fault: 'user',
    exitCode: 22,
    message: 'The build command failed with exit code {exitCode}.',
    lost: 'The build command failed.',
    action: 'Run it at this commit on your machine; the log shows its output.',
  },
  OUTPUT_MISSING: {
    fault: 'user',
    exitCode: 23,
    message: 'The build ended well but there is no folder "{path}".',
    lost: 'The build ended well but its output folder is not there.',
    action: 'Set "outputDirectory" to the folder that the build writes.',
  },
  OUTPUT_NOT_FOUND: {
    fault: 'user',
    exitCode: 43,
    message: 'The build ended well but its output was not found: {reason}',
    lost: 'The build ended well but its output was not found.',
    action:
      'Let it write an index.html into a folder such as "dist", or name the folder in "frontend.outputDirectory".',
  },
  OUTPUT_EMPTY: {
    fault: 'user',
    exitCode: 24,
    message: 'The output folder "{path}" holds no files.',
    lost: 'The output folder holds no files.',
    action: 'Set "outputDirectory" to the folder that the build writes.',
  },
  OUTPUT_REJECTED: {
    fault: 'user',
    exitCode: 25,
    message: 'The output cannot be published: {reason}',
    lost: 'The output holds something that cannot be published.',
    action: 'Remove it from the output folder.',
  },
  OUTPUT_TOO_LARGE: {
    fault: 'user',
    exitCode: 26,
    message: 'The output is over a limit: {reason}',
    lost: 'The output is over a limit.',
    action: 'Publish fewer or smaller files.',
  },
  SECRETS_IN_OUTPUT: {
    fault: 'user',
    exitCode: 42,
    message: 'The output holds secrets, so nothing of it was published: {found}',
    lost: 'The output holds secrets, so nothing of it was published.',
    action:
      'Remove them from the output and replace them where they are in use; list in "frontend.allowSecrets" what visitors may see, by kind or by path.',
  },
  BUILD_TIMEOUT: {
    fault: 'user',
    exitCode: 27,
    message: 'The {phase} phase took longer than {seconds} s and was stopped.',
    lost: 'A phase of the build took longer than its time limit and was stopped.',
    action: 'Make it faster, or raise the timeout in the configuration.',
  },
  BUILD_OUT_OF_MEMORY: {
    fault: 'user',
    exitCode: 137,
    message: 'The build ran out of memory and was killed.',
    action: "Use less memory (for Node: --max-old-space-size), or raise the builder's memory in the configuration.",
  },
  PUBLISH_FAILED: {
    fault: 'transient',
    exitCode: 30,
    message: 'The artifact could not be published: {reason}',
    lost: 'The artifact could not be published.',
    action: 'Nothing is needed: it is tried again; if the error persists, see the runbook.',
  },
  BUILDER_MISCONFIGURED: {
    fault: 'platform',
    exitCode: 31,
    message: 'The builder was started with a wrong environment: {reason}',
    lost: 'The builder was started with a wrong environment.',
    action: 'This is a fault of the platform: report it to its operator.',
  },
  IMAGE_TAG_EXISTS: {
    fault: 'user',
    exitCode: 32,
    message: 'The tag {tag} exists already with another content.',
    lost: "The deployment's image tag exists already with another content.",
    action: 'Redeploy: a new deployment gets a new tag.',
  },
  NO_CONTAINER_BUILDER: {
    fault: 'user',
    exitCode: 33,
    message: 'Backends need docker, podman or buildah on this machine, and {found}.',
    lost: 'Backends need docker, podman or buildah on this machine, and none of them could be used.',
    action: 'Install or start one of them, or deploy with "backend": false.',
  },
  START_COMMAND_MISSING: {
    fault: 'user',
    exitCode: 35,
    message: 'Nothing says how to start the service: {reason}',
    lost: 'Nothing says how to start the service.',
    action: 'Add a "start" script to its package.json, a Procfile with a "web" line, or set "startCommand".',
  },
  SYSTEM_LIBRARY_MISSING: {
    fault: 'user',
    exitCode: 36,
    message: 'The {phase} phase needs {library}, which is not part of the image that services are built in.',
    lost: 'A command needs a system library that is not part of the image that services are built in.',
    action: 'Use a package that brings its own binary, or a version of it that does.',
  },
  BUILD_DISK_FULL: {
    fault: 'user',
    exitCode: 37,
    message: 'The disk was full in the {phase} phase.',
    lost: 'The disk was full during the build.',
    action:
      'Install or write less, or raise the ephemeral storage of the builder in the configuration (on a laptop: free some space).',
  },
  BASE_IMAGE_UNAVAILABLE: {
    fault: 'transient',
    exitCode: 38,
    message: 'The base image could not be pulled: {reason}',
    lost: 'The base image could not be pulled.',
    action: 'It is tried again; if the error persists, check that the registry can be reached from the builder.',
  },
  IMAGE_BUILD_FAILED: {
    fault: 'platform',
    exitCode: 39,
    message: 'The image could not be built: {reason}',
    lost: 'The image could not be built.',
    action: 'This is not a fault of the commands that were run; if the error persists, report it to the operator.',
  },
  DOCKERFILE_INVALID: {
    fault: 'user',
    status: 422,
    exitCode: 60,
    message: 'The Dockerfile {path} cannot be used: {reason}',
    lost: 'The Dockerfile of the repository cannot be used.',
    action: 'Name a Dockerfile below "backend.path" in "backend.dockerfile"; its folder for COPY is "backend.path".',
  },
  DOCKERFILE_STEP_FAILED: {
    fault: 'user',
    exitCode: 61,
    message: 'The Dockerfile could not be built, at {step}: {reason}',
    lost: 'A step of the Dockerfile failed.',
    action: 'Build it at this commit on your machine (docker build); the log shows its output.',
  },
  DOCKERFILE_BASE_MISSING: {
    fault: 'user',
    exitCode: 62,
    message: 'An image that the Dockerfile begins with cannot be pulled: {reason}',
    lost: 'An image that the Dockerfile begins with cannot be pulled.',
    action: 'Use a public image and a tag that exists: the build has no login at any registry.',
  },
  DOCKERFILE_BUILDER_ENDED: {
    fault: 'user',
    exitCode: 63,
    message: 'What built the Dockerfile ended without a result ({reason}).',
    lost: 'What built the Dockerfile ended without a result.',
    action: 'A step used up its memory or ended the builder; use less memory, or raise it in the configuration.',
  },
  IMAGE_REFUSED: {
    fault: 'user',
    exitCode: 64,
    message: 'The image that the Dockerfile made was not accepted: {reason}',
    lost: 'The image that the Dockerfile made was not accepted.',
    action: 'Remove the step that changes what the image builder has written; nothing of the image was published.',
  },
  IMAGE_TOO_LARGE: {
    fault: 'user',
    exitCode: 65,
    message: 'The image is over a limit: {reason}',
    lost: 'The image is over a limit.',
    action: 'Copy less into the last stage of the Dockerfile; a .dockerignore keeps files out of it.',
  },
  IMAGE_REPOSITORY_MISSING: {
    fault: 'platform',
    exitCode: 40,
    message: 'There is no image repository {repository}.',
    lost: 'The image repository does not exist.',
    action: 'This is a fault of the platform: check that `cdk deploy` made it.',
  },
  GENERATOR_MISSING: {
    fault: 'user',
    exitCode: 54,
    message: 'The site is built with {tool}, and {reason}.',
    lost: 'The program that builds the site was not found.',
    action: 'Install it on the machine that builds, or name another command in "frontend.buildCommand".',
  },
  GENERATOR_UNAVAILABLE: {
    fault: 'transient',
    exitCode: 55,
    message: '{tool} could not be installed: {reason}',
    lost: 'The version of the site generator that the repository states could not be installed.',
    action: 'It is tried again; if it stays, check that PyPI can be reached from the builder.',
  },
  TOOLCHAIN_UNAVAILABLE: {
    fault: 'transient',
    exitCode: 34,
    message: 'Node {version} or its package manager could not be prepared: {reason}',
    lost: 'Node or its package manager could not be prepared.',
    action: 'Check that the npm registry can be reached.',
  },
  BUILD_STOPPED: {
    fault: 'user',
    exitCode: 143,
    message: 'The build was stopped.',
    action: 'Redeploy it to build it again.',
  },

  DEPLOYMENT_CANCELED: {
    fault: 'user',
    exitCode: 41,
    message: 'The deployment was canceled before it was published.',
    action: 'Redeploy it to build it again.',
  },
  OTHER_PART_FAILED: {
    fault: 'user',
    message: 'The {part} was built and is not published, since the other part of the deployment failed.',
    action: 'Correct the part that failed, or deploy with "publication": "independent" to publish each part by itself.',
  },
  HANDOVER_UNREADABLE: {
    fault: 'transient',
    exitCode: 50,
    message: "The build's variables and credentials could not be read: {reason}",
    lost: "The build's variables and credentials could not be read.",
    action: 'It is tried again; if the error persists, check that builders reach the bucket.',
  },
  HANDOVER_TAKEN: {
    fault: 'platform',
    exitCode: 51,
    message: "Somebody else has read the build's variables and credentials before the builder did.",
    action: 'Change the secrets among the variables, and report this to the operator; see the runbook.',
  },

  // --- running the builder ------------------------------------------------------------------------------------------
  TASK_START_FAILED: {
    fault: 'transient',
    message: 'The build task could not be started: {reason}',
    action: 'It is tried again; if the error persists, see "platform-failures" in the runbook.',
  },
  TASK_REFUSED: {
    fault: 'platform',
    message: 'ECS does not accept the build task: {reason}',
    action: 'This is a fault of the platform: check that `cdk deploy` has made its clusters and task definitions.',
  },
  TASK_LOST: {
    fault: 'transient',
    message: 'The build task ended without a result: {reason}',
    action: 'It is tried again; if the error persists, see the runbook.',
  },
  BUDGET_SPENT: {
    fault: 'user',
    message:
      "{percent} % of the project's budget of {budget} US dollars for builds in {month} are spent, so this {environment} deployment was not built.",
    action:
      'Raise "budget" in the settings of the project (an admin may), or wait for the next month (UTC); what is live, rollbacks and promotions are not concerned.',
  },
  SPOT_INTERRUPTED: {
    fault: 'transient',
    message: 'The Spot capacity under the build was taken back.',
    action: 'Nothing is needed: it is tried again on demand.',
  },
  IMAGE_PULL_FAILED: {
    fault: 'platform',
    message: 'The builder image could not be pulled: {reason}',
    action: 'This is a fault of the platform: check that `cdk deploy` pushed the builder images.',
  },
  CREDENTIALS_FAILED: {
    fault: 'transient',
    message: 'No credentials could be made for the build: {reason}',
    action: 'It is tried again; if the error persists, check the build role.',
  },
  HANDOVER_FAILED: {
    fault: 'transient',
    message: "The build's variables and credentials could not be handed over: {reason}",
    action: 'It is tried again; if the error persists, check that build-worker may write to the bucket.',
  },
  TASK_TIMEOUT: {
    fault: 'user',
    message: 'The build ran longer than {seconds} s and was stopped.',
    action: 'Make it faster, or raise the timeout in the configuration.',
  },
  CRASHES_REPEATED: {
    fault: 'platform',
    message: 'The platform crashed {crashes} times in a row while it worked on this, so it is not tried again.',
    action: 'Look into the log of the platform for the cause, then redeploy.',
  },
  RETRIES_EXHAUSTED: {
    fault: 'platform',
    message:
      'The build was tried {attempts} times and failed each time for a reason outside of your repository; the last: {reason}',
    action: 'Redeploy; if the error persists, see the runbook.',
  },

  // --- running backends ---------------------------------------------------------------------------------------------
  SERVICE_NOT_LISTENING: {
    fault: 'user',
    message: 'The backend started and did not listen on port {port} within {seconds} s.{seen}',
    action: 'Let it listen on the port that the variable PORT names, on all addresses (0.0.0.0).',
  },
  SERVICE_EXITED: {
    fault: 'user',
    message: 'The backend ended before it answered: {reason}.',
    action: 'Its last lines say why; try its start command on your machine with the same variables.',
  },
  SERVICE_UNHEALTHY: {
    fault: 'user',
    message: 'The backend did not answer {path} with a status below 500 within {seconds} s: {reason}.',
    action: 'Cure it, or name another path in the project\'s settings, as "healthPath" of "service".',
  },
  SERVICE_TOO_LARGE: {
    fault: 'user',
    message: 'The backend is too large to run: {reason}',
    action: 'Make it smaller: leave out files and dev dependencies that it does not need at run time.',
  },
  SERVICE_VARIABLES_TOO_LARGE: {
    fault: 'user',
    message: 'The variables of the backend take {bytes} bytes, and {limit} is the most.',
    action: 'Show those that only builds need to "install" or "build" alone, or keep large values elsewhere.',
  },
  SERVICE_VARIABLE_REFUSED: {
    fault: 'user',
    message: '{runner} does not take variables of these names: {names}.',
    action: 'Rename them: letters, digits and "_", a letter first, two characters at least, none that AWS sets itself.',
  },
  SERVICE_NO_ROOM: {
    fault: 'platform',
    message: 'The load balancer has no room for another version of a backend that is always on: {reason}',
    action: 'Remove deployments that are not needed; the operator may ask AWS for more rules and target groups.',
  },
  SERVICE_START_FAILED: {
    fault: 'transient',
    message: 'The platform could not start the backend: {reason}',
    action: 'It is tried again; if the error persists, see the runbook.',
  },
  SERVICE_UNAVAILABLE: {
    fault: 'user',
    status: 503,
    message: 'The backend does not answer: {reason}',
    action: "Look at its log, GET /projects/{projectId}/logs, and at the deployment's record.",
  },

  // --- starting the laptop platform ---------------------------------------------------------------------------------
  GIT_MISSING: { fault: 'user', message: 'git was not found on PATH.', action: 'Install git and start again.' },
  PORT_INVALID: {
    fault: 'user',
    message: 'PORT is "{port}".',
    action: 'Give a number from 0 to 65535.',
  },
  LIMITS_INVALID: {
    fault: 'user',
    message: 'VEREN_LIMITS is {value}.',
    action:
      'Give a JSON object with whole numbers for some of "builds", "requestsPerMinute", "deploymentsPerHour" and "storageGiB".',
  },
  PUBLIC_ADDRESS_INVALID: {
    fault: 'user',
    message: '{name} is "{value}".',
    action:
      'Give VEREN_PUBLIC_URL as http://host:port or https://host, and VEREN_HOSTS as host names separated by commas.',
  },
  PORT_IN_USE: {
    fault: 'user',
    message: 'Port {port} is in use.',
    action: 'Stop what uses it, or choose another with PORT=<number>.',
  },
  DATA_FOLDER_UNUSABLE: {
    fault: 'user',
    message: 'The data folder {path} cannot be used: {reason}',
    action: 'Choose another with --data DIR.',
  },
  DATA_FOLDER_LOCKED: {
    fault: 'user',
    message: 'The data folder {path} is in use by process {pid}.',
    action: 'Stop that process, or choose another folder with --data DIR.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof table;
export const ERRORS: Readonly<Record<ErrorCode, ErrorRow>> = table;
export const isErrorCode = (s: string): s is ErrorCode => Object.hasOwn(table, s);

export type ErrorDetails = Readonly<Record<string, string | number>>;

type Placeholders<S extends string> = S extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;
/** The details that the sentences of a row need; for a union of codes, the details of all of them. */
export type DetailsOf<C extends ErrorCode> = Readonly<
  Record<Placeholders<(typeof table)[C]['message' | 'action']>, string | number>
>;
/** The details may be left out only where the row has no placeholder. */
export type DetailArguments<C extends ErrorCode, Rest extends unknown[] = []> = [keyof DetailsOf<C>] extends [never]
  ? [details?: Readonly<Record<string, never>>, ...rest: Rest]
  : [details: DetailsOf<C>, ...rest: Rest];

/** @throws Error naming the placeholder for which no detail was given */
const fillTemplate = (code: ErrorCode, template: string, details: ErrorDetails) =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (!Object.hasOwn(details, name)) throw new Error(`The error ${code} was given no "${name}"`);
    return String(details[name]);
  });

/** The two sentences that a user reads: what was wrong, and what to do. */
export function describeError<C extends ErrorCode>(code: C, ...[details = {}]: DetailArguments<C>): string {
  const row = ERRORS[code];
  const message = fillTemplate(code, row.message, details).trimEnd();
  // Reasons that come from other programs rarely end with a full stop.
  return `${/[.!?]$/.test(message) ? message : `${message}.`} ${fillTemplate(code, row.action, details)}`;
}

type RowOf<C extends ErrorCode> = (typeof table)[C];
/**
 * Codes that a builder can end with. Each must have a sentence without details: a row without one does not compile, and
 * neither does one whose action needs details.
 */
type ExitErrorCode = { [C in ErrorCode]: RowOf<C> extends { readonly exitCode: number } ? C : never }[ErrorCode];
type WithoutLostSentence = {
  [C in ExitErrorCode]: [Placeholders<RowOf<C>['action']>] extends [never]
    ? [keyof DetailsOf<C>] extends [never]
      ? never
      : RowOf<C> extends { readonly lost: string }
        ? never
        : C
    : C;
}[ExitErrorCode];
const everyLostSentence: [WithoutLostSentence] extends [never] ? true : WithoutLostSentence = true;
void everyLostSentence;

/** The sentences for a builder that ended with the exit code of `code` and whose last message was lost. */
export function describeLostEnd(code: ErrorCode): string {
  const { message, lost = message, action } = ERRORS[code];
  return `${lost} ${action}`;
}

/** An error with a row in the table. `cause` is for the operator's log; the message is safe to show. */
export class VerenError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C;
  readonly details: ErrorDetails;

  constructor(code: C, ...[details, options]: DetailArguments<C, [options?: ErrorOptions]>) {
    super(describeError(code, ...([details] as unknown as DetailArguments<C>)), options);
    this.name = 'VerenError';
    this.code = code;
    this.details = details ?? {};
  }

  /** An error that was sent from another process, with the details that it had there. */
  static restore(code: ErrorCode, details: ErrorDetails): VerenError {
    return new VerenError(code, details as DetailsOf<ErrorCode>);
  }

  get row(): ErrorRow {
    return ERRORS[this.code];
  }
}

/** The builder's exit code → its row, where one is given. */
export function errorForExitCode(exitCode: number): ErrorCode | undefined {
  return (Object.keys(table) as ErrorCode[]).find((code) => ERRORS[code].exitCode === exitCode);
}
