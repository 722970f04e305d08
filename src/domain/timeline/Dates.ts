/** Days of the calendar, as timelines write them. */

const written = /^(\d{4})-(\d{2})-(\d{2})$/

/** Whether `YYYY-MM-DD` is a day that exists. The year 0 does not, and the database takes none. */
export const isDay = (text: string): boolean => {
  const [, year, month, day] = (written.exec(text) ?? []).map(Number)
  if (year === undefined || month === undefined || day === undefined || year < 1) return false
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
}

const daysIn = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}
