# Image of the functions that run git (clone-worker, repo-analyzer, git-worker). The build context is made at synth: this file and
# code/, the function's bundle. git-core is git without its Perl tools. `dnf` is microdnf here, which takes 0 and 1 alone for
# a switch.
FROM public.ecr.aws/lambda/nodejs:24
RUN dnf install -y --setopt=install_weak_deps=0 git-core && dnf clean all && rm -rf /var/cache/dnf
COPY code/ ${LAMBDA_TASK_ROOT}/
CMD ["index.handler"]
