// What the streaming company streams. All of it is invented.

/** A film or series of the catalog. */
export interface CatalogItem {
  readonly id: string
  readonly title: string
  readonly kind: 'film' | 'series'
  readonly year: number
  readonly genre: string
  /** Of a film; of one episode of a series. */
  readonly minutes: number
  readonly rating: string
  readonly summary: string
  /** Who added it through the API, by the gateway's word; absent from what was there at the start. */
  readonly addedBy?: string
}

/** The catalog as it is at the start. */
export function openingTitles(): readonly CatalogItem[] {
  return [
    film(
      '1',
      'The Salt Archive',
      2021,
      'mystery',
      118,
      '12',
      'An archivist finds her own name in a ledger from 1904.',
    ),
    series(
      '2',
      'Harbour Lights',
      2023,
      'drama',
      47,
      '12',
      'Four families, one ferry line, and a winter without boats.',
    ),
    film(
      '3',
      'Nine Minutes to Vega',
      2024,
      'science fiction',
      131,
      '12',
      'A relay crew must decide whose message to drop.',
    ),
    series(
      '4',
      'Cold Kitchen',
      2022,
      'comedy',
      28,
      '6',
      'A catering firm wins the contract for an Antarctic base.',
    ),
    film(
      '5',
      'A Lantern for Ida',
      2019,
      'family',
      94,
      '0',
      'A girl walks a river to bring back the light of her village.',
    ),
    series(
      '6',
      'The Understudy',
      2025,
      'thriller',
      52,
      '16',
      'She learned every part in the company, then every alibi.',
    ),
    film(
      '7',
      'Paper Cranes over Tromsø',
      2020,
      'romance',
      107,
      '6',
      'Two translators disagree about a single letter.',
    ),
    series(
      '8',
      'Deep Field',
      2024,
      'documentary',
      55,
      '0',
      'Ten nights at ten telescopes, with the people who stay awake.',
    ),
    film(
      '9',
      'The Last Cartographer',
      2018,
      'adventure',
      126,
      '12',
      'A map that is finished too early starts to change the coast.',
    ),
    series(
      '10',
      'Second Platform',
      2023,
      'crime',
      49,
      '16',
      'Every case of the railway police begins with a missed train.',
    ),
    film(
      '11',
      'Glass Orchard',
      2022,
      'horror',
      99,
      '18',
      'The trees ring at night, and each night a little closer.',
    ),
    series(
      '12',
      'Quarter Past Never',
      2025,
      'fantasy',
      44,
      '12',
      'A clock repairer is handed a watch that is owed an hour.',
    ),
  ]
}

type Facts = [
  id: string,
  title: string,
  year: number,
  genre: string,
  minutes: number,
  rating: string,
  summary: string,
]

function film(...facts: Facts): CatalogItem {
  return item('film', facts)
}

function series(...facts: Facts): CatalogItem {
  return item('series', facts)
}

function item(kind: CatalogItem['kind'], facts: Facts): CatalogItem {
  const [id, title, year, genre, minutes, rating, summary] = facts
  return { id, title, kind, year, genre, minutes, rating, summary }
}
