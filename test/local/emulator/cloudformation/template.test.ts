import {
  outputsFor,
  phasesOf,
  referencesOf,
  stackOutputsIn,
  type Template,
  templateOfPhase,
  withStackOutputs,
} from '../../../../local/emulator/cloudformation/template.ts';

/** A cluster, a custom resource that asks for its brokers, a function that is told them, and an alarm that needs neither. */
const TEMPLATE: Template = {
  Resources: {
    Cluster: { Type: 'AWS::MSK::Cluster', Properties: { Name: 'veren' } },
    Brokers: { Type: 'Custom::AWS', Properties: { ServiceToken: 'fn', arn: { 'Fn::GetAtt': ['Cluster', 'Arn'] } } },
    Function: {
      Type: 'AWS::Lambda::Function',
      Properties: { Brokers: { 'Fn::GetAtt': ['Brokers', 'List'] } },
      DependsOn: ['Brokers', 'Cluster'],
    },
    Topics: { Type: 'Custom::KafkaTopics', Properties: { ServiceToken: { 'Fn::GetAtt': ['Function', 'Arn'] } } },
    Alarm: { Type: 'AWS::CloudWatch::Alarm' },
  },
  Outputs: { Names: { Value: { Ref: 'Brokers' } }, Late: { Value: { Ref: 'Topics' } } },
};
const answers = new Map([['Brokers', { physicalId: 'bootstrap-brokers', data: { List: 'b-1:9098' } }]]);

it('puts a resource one phase after the custom resources that it needs', () => {
  expect(Object.fromEntries(phasesOf(TEMPLATE))).toEqual({ Cluster: 0, Brokers: 0, Function: 1, Topics: 1, Alarm: 0 });
});

it('finds references in every way of writing them', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation writes references so
  const value = { a: [{ Ref: 'A' }], b: { 'Fn::GetAtt': 'B.Arn' }, c: { 'Fn::Sub': 'x-${C}-${D.Arn}-${AWS::Region}' } };
  expect([...referencesOf(value)]).toEqual(['A', 'B', 'C', 'D']);
});

it('refuses a circle', () => {
  const Resources = { A: { Type: 'X', DependsOn: 'B' }, B: { Type: 'X', DependsOn: ['A'] } };
  expect(() => phasesOf({ Resources })).toThrow('Circular dependency: A → B → A');
});

it('leaves custom resources out, and what needs them until they have answered', () => {
  const first = templateOfPhase(TEMPLATE, 0, new Map(), undefined);
  expect(Object.keys(first.Resources)).toEqual(['Cluster', 'Alarm']);
  expect(first.Outputs).toEqual({});
  const second = templateOfPhase(TEMPLATE, 1, answers, undefined);
  expect(second.Resources.Function).toEqual({
    Type: 'AWS::Lambda::Function',
    Properties: { Brokers: 'b-1:9098' },
    DependsOn: ['Cluster'],
  });
  expect(second.Outputs).toEqual({ Names: { Value: 'bootstrap-brokers' } });
});

it('touches nothing in an update whose turn has not come, and removes what is gone at the end', () => {
  const before: Template = {
    Resources: { Function: { Type: 'AWS::Lambda::Function', Properties: { Brokers: 'old' } }, Gone: { Type: 'X' } },
  };
  const first = templateOfPhase(TEMPLATE, 0, new Map(), before);
  expect(first.Resources.Function).toEqual(before.Resources.Function);
  expect(first.Resources).toHaveProperty('Gone');
  expect(templateOfPhase(TEMPLATE, 1, answers, before).Resources).not.toHaveProperty('Gone');
});

it('says which attribute an answer lacks', () => {
  const without = new Map([['Brokers', { physicalId: 'x', data: {} }]]);
  expect(() => templateOfPhase(TEMPLATE, 1, without, undefined)).toThrow('Brokers has answered without List');
});

it('has the emulator compute values by outputs', () => {
  const { outputs, take } = outputsFor({ arn: { 'Fn::GetAtt': ['Cluster', 'Arn'] }, plain: ['x', { Ref: 'Cluster' }] });
  expect(Object.values(outputs)).toEqual([{ 'Fn::GetAtt': ['Cluster', 'Arn'] }, { Ref: 'Cluster' }]);
  const results = new Map([
    ['VerenValue0', 'arn:of-it'],
    ['VerenValue1', 'name'],
  ]);
  expect(take(results)).toEqual({ arn: 'arn:of-it', plain: ['x', 'name'] });
});

it('reads outputs of other stacks when a stack is deployed', () => {
  const value = { 'Fn::GetStackOutput': { StackName: 'data', OutputName: 'Key', Region: 'ap-south-1' } };
  const template: Template = { Resources: { A: { Type: 'X', Properties: { Key: value } } } };
  expect(stackOutputsIn(template)).toEqual([{ stack: 'data', output: 'Key' }]);
  expect(withStackOutputs(template, new Map([['data/Key', 'arn']])).Resources.A!.Properties).toEqual({ Key: 'arn' });
  expect(() => withStackOutputs(template, new Map())).toThrow('Stack data has no output Key');
});
