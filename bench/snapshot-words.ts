/** Common words, the most frequent first, as a sentence of a shop's notes would have them. */
const WORDS = `the to and a of in is for you on please it with be at that this we our your not from or are as have order
delivery will by can an if was has customer item but all package when after before no more please one there their which
address street call door time back front left right box return refund payment paid invoice account price total discount
shipping carrier tracking number date day week month morning evening noon today tomorrow yesterday monday tuesday friday
neighbour office building floor gate garage reception signature fragile glass heavy small large medium blue red green
black white size colour model brand quality replacement damaged missing broken wrong correct confirm cancel change update
gift card message wrap birthday thanks thank regards hello dear team support service request response email phone contact
name company department reference purchase quantity stock available backorder supplier warehouse store shelf pallet truck
driver route region country city postcode province island mountain river bridge station airport harbour customs duty tax
insurance claim policy warranty repair exchange credit debit bank transfer currency euro dollar cent amount balance due
overdue reminder late early express standard economy priority urgent normal special instruction note comment question
answer problem solution issue ticket closed open pending approved rejected received sent shipped delivered picked packed
labelled printed scanned weighed measured sorted loaded unloaded inspected accepted refused redirected forwarded stored
kept found lost opened unopened used new old original copy document receipt certificate manual guide instruction cable
adapter battery charger screen keyboard mouse printer paper ink toner chair table lamp shelf drawer cabinet sofa bed
mattress pillow blanket curtain carpet towel plate bowl cup spoon fork knife pan pot kettle oven fridge freezer washer
dryer vacuum cleaner brush soap shampoo toothpaste perfume cream lotion shirt trousers jacket coat dress skirt sock shoe
boot hat scarf glove belt bag wallet watch ring necklace bracelet earring book magazine newspaper novel poem map game
puzzle doll toy ball bicycle helmet tent rope torch compass bottle flask tea coffee sugar salt pepper flour rice pasta
bread butter cheese milk yoghurt egg apple pear orange lemon banana grape melon cherry tomato potato onion garlic carrot
cucumber lettuce spinach mushroom bean pea lentil almond walnut hazelnut honey jam chocolate biscuit cake juice water wine
beer vinegar oil olive basil parsley mint thyme oregano cinnamon ginger turmeric vanilla saffron`.split(/\s+/)

const ENDINGS = ['', 's', 'ed', 'ing', 'er', 'ly', 'ness', 'able']

/** Random numbers that are the same in every run (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** So many words follow a word, each with its own probability. */
const SUCCESSORS = 24
const DRAWS = 64

/**
 * Text whose words are as frequent as in a natural language (the n-th of some 4,000 comes with a probability of about
 * 1/n, after Zipf) and follow each other as there: each word has a few that often come after it. A compressor finds in
 * it about what it finds in people's texts.
 */
export function createText(random: () => number): (words: number) => string {
  const vocabulary = ENDINGS.flatMap((ending) => WORDS.map((word) => word + ending))
  const zipf = (size: number): number => Math.floor(Math.exp(random() * Math.log(size)))
  /** For each word, those that may come next, as often as they do. */
  const followers = vocabulary.map(() => {
    const likely = Array.from({ length: SUCCESSORS }, () => zipf(vocabulary.length))
    return Array.from({ length: DRAWS }, () => likely[zipf(SUCCESSORS) - 1] ?? 0)
  })
  let word = 0
  return (words) => {
    let text = ''
    for (let index = 0; index < words; index += 1) {
      word = followers[word]?.[Math.floor(random() * DRAWS)] ?? 0
      text += `${index === 0 ? '' : ' '}${vocabulary[word] ?? ''}`
    }
    return text
  }
}
