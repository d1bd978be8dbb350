import {
  describeError,
  describeLostEnd,
  ERRORS,
  type ErrorCode,
  errorForExitCode,
  VerenError,
} from '../../contract/errors.ts';

const rows = Object.entries(ERRORS) as [ErrorCode, (typeof ERRORS)[ErrorCode]][];

describe('the error table', () => {
  it.each(rows)('%s says what was wrong and what to do', (code, row) => {
    const names = [...`${row.message} ${row.action}`.matchAll(/\{(\w+)\}/g)].map((m) => m[1] as string);
    const text = VerenError.restore(code, Object.fromEntries(names.map((name) => [name, `<${name}>`]))).message;
    expect(text).not.toMatch(/\{\w+\}/);
    for (const name of names) expect(text).toContain(`<${name}>`);
    expect(text.endsWith('.') || text.endsWith('>')).toBe(true);
    expect(row.message.split(' ').length).toBeGreaterThan(2);
  });

  it('has every exit code once, and finds its row', () => {
    const codes = rows.flatMap(([, row]) => row.exitCode ?? []);
    expect(new Set(codes).size).toBe(codes.length);
    for (const [code, row] of rows) if (row.exitCode !== undefined) expect(errorForExitCode(row.exitCode)).toBe(code);
    expect(errorForExitCode(0)).toBeUndefined();
  });

  it('does not take a code without the details that its sentences ask for', () => {
    // @ts-expect-error -- `reason` is missing
    expect(() => new VerenError('GIT_FAILED', { url: 'https://h/x' })).toThrow('GIT_FAILED was given no "reason"');
    // @ts-expect-error -- details are missing
    expect(() => describeError('GIT_FAILED')).toThrow('GIT_FAILED was given no "url"');
    // @ts-expect-error -- the row has no placeholder
    expect(describeError('GIT_MISSING', { path: 'x' })).toContain('git was not found');
  });

  it('keeps what is no placeholder, and ends a reason with a full stop', () => {
    const error = new VerenError('GIT_FAILED', { url: 'https://h/{x}', reason: 'no such host' });
    expect(error.message).toMatch(/^git could not read https:\/\/h\/\{x\}: no such host\. Try again/);
    expect(error.row.fault).toBe('transient');
  });

  it('has a true sentence for every exit code of a builder whose last message was lost', () => {
    const lost = rows
      .filter(([, row]) => row.exitCode !== undefined)
      .map(([code, row]) => [row.exitCode, describeLostEnd(code)]);
    expect(Object.fromEntries(lost)).toMatchInlineSnapshot(`
{
  "137": "The build ran out of memory and was killed. Use less memory (for Node: --max-old-space-size), or raise the builder's memory in the configuration.",
  "143": "The build was stopped. Redeploy it to build it again.",
  "20": "The commit could not be fetched. Check that the commit still exists and that the token may read it.",
  "21": "The install command failed. Run it at this commit on your machine; the log shows its output.",
  "22": "The build command failed. Run it at this commit on your machine; the log shows its output.",
  "23": "The build ended well but its output folder is not there. Set "outputDirectory" to the folder that the build writes.",
  "24": "The output folder holds no files. Set "outputDirectory" to the folder that the build writes.",
  "25": "The output holds something that cannot be published. Remove it from the output folder.",
  "26": "The output is over a limit. Publish fewer or smaller files.",
  "27": "A phase of the build took longer than its time limit and was stopped. Make it faster, or raise the timeout in the configuration.",
  "28": "The folder to build is not in the repository. Correct the path, or leave it out to have it detected.",
  "29": "The installation has left a variable that it alone may see in a file. Commit a file that names the variable instead of holding its value (docs/variables.md has examples), let the install command remove the file, or let the build see the variable too.",
  "30": "The artifact could not be published. Nothing is needed: it is tried again; if the error persists, see the runbook.",
  "31": "The builder was started with a wrong environment. This is a fault of the platform: report it to its operator.",
  "32": "The deployment's image tag exists already with another content. Redeploy: a new deployment gets a new tag.",
  "33": "Backends need docker, podman or buildah on this machine, and none of them could be used. Install or start one of them, or deploy with "backend": false.",
  "34": "Node or its package manager could not be prepared. Check that the npm registry can be reached.",
  "35": "Nothing says how to start the service. Add a "start" script to its package.json, a Procfile with a "web" line, or set "startCommand".",
  "36": "A command needs a system library that is not part of the image that services are built in. Use a package that brings its own binary, or a version of it that does.",
  "37": "The disk was full during the build. Install or write less, or raise the ephemeral storage of the builder in the configuration (on a laptop: free some space).",
  "38": "The base image could not be pulled. It is tried again; if the error persists, check that the registry can be reached from the builder.",
  "39": "The image could not be built. This is not a fault of the commands that were run; if the error persists, report it to the operator.",
  "40": "The image repository does not exist. This is a fault of the platform: check that \`cdk deploy\` made it.",
  "41": "The deployment was canceled before it was published. Redeploy it to build it again.",
  "42": "The output holds secrets, so nothing of it was published. Remove them from the output and replace them where they are in use; list in "frontend.allowSecrets" what visitors may see, by kind or by path.",
  "43": "The build ended well but its output was not found. Let it write an index.html into a folder such as "dist", or name the folder in "frontend.outputDirectory".",
  "45": "The lockfile is out of step with package.json. Commit the corrected lockfile.",
  "46": "A submodule could not be fetched. Correct .gitmodules, or deploy without "git.submodules".",
  "47": "The files of the repository in Git LFS could not be fetched. Check that they were pushed (\`git lfs push\`) and that the token may read it, or deploy without "git.lfs".",
  "50": "The build's variables and credentials could not be read. It is tried again; if the error persists, check that builders reach the bucket.",
  "51": "Somebody else has read the build's variables and credentials before the builder did. Change the secrets among the variables, and report this to the operator; see the runbook.",
  "54": "The program that builds the site was not found. Install it on the machine that builds, or name another command in "frontend.buildCommand".",
  "55": "The version of the site generator that the repository states could not be installed. It is tried again; if it stays, check that PyPI can be reached from the builder.",
  "60": "The Dockerfile of the repository cannot be used. Name a Dockerfile below "backend.path" in "backend.dockerfile"; its folder for COPY is "backend.path".",
  "61": "A step of the Dockerfile failed. Build it at this commit on your machine (docker build); the log shows its output.",
  "62": "An image that the Dockerfile begins with cannot be pulled. Use a public image and a tag that exists: the build has no login at any registry.",
  "63": "What built the Dockerfile ended without a result. A step used up its memory or ended the builder; use less memory, or raise it in the configuration.",
  "64": "The image that the Dockerfile made was not accepted. Remove the step that changes what the image builder has written; nothing of the image was published.",
  "65": "The image is over a limit. Copy less into the last stage of the Dockerfile; a .dockerignore keeps files out of it.",
}
`);
  });
});
