import type { Image, TaskDefinition } from '../../../local/ecs/taskDefinition.ts';

/** `sh` images: what a task does is the variable SCRIPT. */
export function definitions(image: Partial<Image> = {}): TaskDefinition[] {
  return [
    {
      cluster: 'builder',
      family: 'shell',
      containerName: 'shell-container',
      stopTimeoutSeconds: 0.5,
      image: {
        entryPoint: ['/bin/sh', '-c', 'eval "$SCRIPT"'],
        environment: { PATH: process.env.PATH ?? '/usr/bin:/bin', FROM_IMAGE: 'image', BOTH: 'image' },
        ...image,
      },
    },
    {
      cluster: 'backend-builder',
      family: 'missing',
      containerName: 'missing',
      image: { entryPoint: ['/does/not/exist'], environment: {} },
    },
    {
      cluster: 'builder',
      family: 'unpullable',
      containerName: 'unpullable',
      image: { entryPoint: ['/bin/true'], environment: () => Promise.reject(new Error('the registry is away')) },
    },
  ];
}
