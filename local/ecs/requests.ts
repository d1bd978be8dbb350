import { z } from 'zod';

/** Input of the operations, as far as it matters here. Source: ECS API reference. */
const text = z.string().nullish();
const keyValue = z.object({ name: z.string().min(1), value: z.string() });

export const RunTaskRequest = z.object({
  cluster: text,
  taskDefinition: z.string(),
  count: z.number().int().min(1).max(10).nullish(),
  clientToken: z.string().max(64).nullish(),
  startedBy: z.string().max(128).nullish(),
  group: text,
  launchType: z.enum(['FARGATE', 'EC2', 'EXTERNAL', 'MANAGED_INSTANCES']).nullish(),
  capacityProviderStrategy: z.array(z.object({ capacityProvider: z.string() })).nullish(),
  tags: z.array(z.object({ key: z.string().optional(), value: z.string().optional() })).nullish(),
  overrides: z
    .object({
      containerOverrides: z
        .array(
          z.object({
            name: z.string(),
            environment: z.array(keyValue).optional(),
            command: z.array(z.string()).optional(),
          }),
        )
        .nullish(),
    })
    .loose()
    .nullish(),
});
export type RunTaskRequest = z.infer<typeof RunTaskRequest>;

export const StopTaskRequest = z.object({ cluster: text, task: z.string(), reason: text });
export type StopTaskInput = z.infer<typeof StopTaskRequest>;

export const DescribeTasksRequest = z.object({ cluster: text, tasks: z.array(z.string()) });
export type DescribeTasksInput = z.infer<typeof DescribeTasksRequest>;

export const ListTasksRequest = z.object({
  cluster: text,
  family: text,
  startedBy: text,
  serviceName: text,
  launchType: text,
  desiredStatus: z.enum(['RUNNING', 'PENDING', 'STOPPED']).nullish(),
  maxResults: z.number().int().min(1).max(100).nullish(),
  nextToken: text,
});
export type ListTasksInput = z.infer<typeof ListTasksRequest>;
