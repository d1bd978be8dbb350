import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CloudFormationValidatePlugin, type IPolicyValidationContext } from 'aws-cdk-lib';
import { RememberedValidation, withNumberedHashes } from '../../lib/remembered-validation.ts';

const folder = mkdtempSync(join(tmpdir(), 'veren-remembered-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CODE = 'a'.repeat(64);
const template = (hash: string, type = 'AWS::SNS::Topic') =>
  JSON.stringify({ Resources: { Topic: { Type: type, Metadata: { code: hash, again: hash, other: CODE } } } });

function contextOf(text: string, region = 'ap-south-1'): IPolicyValidationContext {
  const templatePath = join(folder, 'template.json');
  writeFileSync(templatePath, text);
  return {
    appConstruct: new App(),
    templatePaths: [templatePath],
    stackTemplates: [{ stackConstructPath: 'Data', templatePath, accountId: '111111111111', region }],
  };
}

describe('the validation of templates', () => {
  const finding = { ruleName: 'E1', description: 'wrong', severity: 'warning', violatingResources: [] };
  let asked: jest.SpyInstance;
  let validation: RememberedValidation;
  beforeEach(() => {
    validation = new RememberedValidation(mkdtempSync(join(folder, 'marks-')));
    asked = jest.spyOn(CloudFormationValidatePlugin.prototype, 'validate');
    asked.mockReturnValue({ success: true, violations: [] });
  });
  afterEach(() => asked.mockRestore());

  test('is not repeated for a template in which only the code of functions is another', () => {
    expect(validation.validate(contextOf(template('b'.repeat(64))))).toEqual({ success: true, violations: [] });
    expect(validation.validate(contextOf(template('c'.repeat(64))))).toEqual({ success: true, violations: [] });
    expect(asked).toHaveBeenCalledTimes(1);
  });

  const before = template('b'.repeat(64));
  test.each([
    ['another resource', template('b'.repeat(64), 'AWS::SQS::Queue'), 'ap-south-1'],
    ['another region', before, 'eu-west-1'],
    ['two hashes that have become one', template(CODE), 'ap-south-1'],
    ['a name of another length', template('b'.repeat(32)), 'ap-south-1'],
  ])('is repeated for %s', (_, other, region) => {
    validation.validate(contextOf(before));
    validation.validate(contextOf(other, region));
    expect(asked).toHaveBeenCalledTimes(2);
  });

  test.each([
    ['an error', { success: false, violations: [finding] }],
    ['a warning', { success: true, violations: [finding] }],
  ])('finds %s again each time', (_, report) => {
    asked.mockReturnValue(report);
    for (let i = 0; i < 2; i++) expect(validation.validate(contextOf(template(CODE)))).toEqual(report);
    expect(asked).toHaveBeenCalledTimes(2);
  });
});

test('hashes are numbered, and nothing else is: what refers to one still does', () => {
  const [a, b, md5] = ['1'.repeat(64), '2'.repeat(64), 'f'.repeat(32)];
  expect(withNumberedHashes(`${b} ${a} ${b} Version${md5} ${'1'.repeat(40)} ${'3'.repeat(65)}`)).toBe(
    `<hash 0 of 64> <hash 1 of 64> <hash 0 of 64> Version<hash 2 of 32> ${'1'.repeat(40)} ${'3'.repeat(65)}`,
  );
});
