/**
 * Schedules with five fields as EventBridge Scheduler writes them. Source: EventBridge Scheduler user guide, "Schedule
 * types": six fields, one of the two days is `?`, Sunday is 1. A schedule that restricts both days means either of them,
 * so it becomes two.
 */
export function awsSchedules(schedule: string): string[] {
  const [minute, hour, day = '*', month, weekday = '*'] = schedule.trim().split(/\s+/);
  const make = (dayOfMonth: string, dayOfWeek: string) =>
    `cron(${minute} ${hour} ${dayOfMonth} ${month?.toUpperCase()} ${dayOfWeek} *)`;
  const days = shiftWeekdays(weekday.toUpperCase());
  if (isEvery(weekday)) return [make(day, '?')];
  if (isEvery(day)) return [make('?', days)];
  return [make(day, '?'), make('?', days)];
}

const isEvery = (field: string) => field === '*' || field === '?';

/** 0 and 7 are Sunday here, 1 is there. A range that ends on Sunday is written as its days. */
function shiftWeekdays(field: string): string {
  return field
    .split(',')
    .flatMap((part) => {
      const [, from, to, step] = /^(\d|\*)(?:-(\d))?(?:\/(\d+))?$/.exec(part) ?? [];
      if (from === undefined) return [part];
      if (from !== '*' && to === undefined && step === undefined) return [weekdayName(Number(from))];
      const first = from === '*' ? 0 : Number(from);
      const last = to === undefined ? 6 : Number(to);
      const days = [];
      for (let day = first; day <= last; day += Number(step ?? 1)) days.push(weekdayName(day));
      return days;
    })
    .filter((day, i, all) => all.indexOf(day) === i)
    .join(',');
}

const NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const weekdayName = (day: number): string => `${NAMES[day % 7]}`;
