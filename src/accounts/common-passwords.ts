/**
 * What passwords that are guessed first are made of. The list is our own: words, names and keyboard runs that published
 * rankings of leaked passwords have in common, written down from general knowledge and copied from none of them. The rules
 * below make the usual variants of each: an ending such as `123`, `!` or a year, letters written as digits.
 */
export const WORDS: ReadonlySet<string> = new Set(
  `password passwort contrasena motdepasse senha parola wachtwoord lozinka haslo salasana sifre passw0rd passwd passcode
  pass secret secreto geheim login logon signin welcome willkommen bienvenue bienvenido bemvindo hello hallo bonjour hola
  letmein openup openit opensesame sesame access accessme changeme changeit change default temporary temp guest user
  username admin administrator administrateur root toor sysadmin manager master mastermind superuser supervisor system
  server service support test testing tester test123 demo sample example trial qwerty qwertz azerty qazwsx asdf asdfgh
  zxcvbn iloveyou iloveu iloveme ilovegod loveyou loveme lovely lover love mylove truelove tequiero teamo amor amour
  sunshine princess princesa dragon monkey shadow superman batman spiderman ironman wonderwoman starwars startrek pokemon
  pikachu naruto minecraft fortnite roblox warcraft worldofwarcraft counterstrike callofduty playstation nintendo xbox
  football baseball basketball softball volleyball hockey soccer futbol tennis golf golfer cricket rugby swimming skating
  liverpool arsenal chelsea everton manchester manutd barcelona realmadrid juventus bayern dortmund benfica celtic rangers
  yankees cowboys lakers bulls eagles steelers packers redsox dolphins raiders broncos patriots tigers panthers giants
  michael michelle jessica jennifer jordan joshua matthew daniel andrew anthony william thomas charlie robert richard
  nicholas nicole samantha stephanie elizabeth victoria alexander alexandra alexandria christian christina christine
  christopher benjamin jonathan nathaniel gabriel gabriela isabella isabelle sebastian veronica valentina valentine
  patrick patricia katherine catherine kimberly brandon amanda ashley andrea angela angelina anderson barbara caroline
  charlotte daniela danielle dominic dominique edward eminem emily emma eric felipe fernando francis francisco frank
  george giovanni hannah harley heather hunter jackson jasmine jason jeremy joseph justin karina kevin lauren leonardo
  madison marcus maria mariana marina martin martina maxwell melissa mercedes miguel monica morgan natalia natasha oliver
  pamela peter phoenix rachel rafael rebecca ricardo roberto rodrigo ronaldo messi beckham sabrina sandra santiago sarah
  scooter simone sophie steven summer taylor theresa tiffany timothy travis tristan vanessa vincent winston xavier zachary
  mustang corvette porsche ferrari lamborghini mazda toyota honda yamaha suzuki kawasaki ducati harleydavidson chevrolet
  chevy camaro firebird cadillac volvo volkswagen bmw audi jaguar subaru nissan dodge viper
  computer internet windows microsoft google facebook twitter instagram youtube linkedin myspace yahoo hotmail gmail apple
  iphone android samsung sony nokia motorola oracle database network software hardware program programmer developer hacker
  matrix pentium intel cisco linux ubuntu debian wordpress office excel outlook whatever whatsup nothing something anything
  trustno1 trustnoone blink182 ncc1701 thx1138 bond007 jamesbond agent007 abc abcd abcdef abc123 aaa a1b2c3 a1b2c3d4 q1w2e3
  1234qwer 123qwe 123abc 123qweasd q1w2e3r4 q1w2e3r4t5 1q2w3e 1q2w3e4r 1q2w3e4r5t 1qaz2wsx zaq1zaq1 zaq12wsx xsw2zaq1 qwe123 qwe asd asd123 zxc qweasd
  qweasdzxc asdfjkl asdasd asdfasdf qweqwe zxczxc poiuyt lkjhgf mnbvcx
  flower flowers rose butterfly rainbow angel angels heaven blessed blessing jesus jesuschrist jesus1 christ godisgood god
  faith hope grace glory peace freedom liberty america american usa canada mexico brasil brazil argentina colombia england
  london paris berlin moscow russia france germany deutschland italia italy espana spain portugal china india pakistan
  indonesia japan tokyo australia sydney newyork california texas florida chicago boston dallas houston denver hawaii
  cheese chocolate cookie cookies coffee banana orange cherry strawberry peaches pumpkin pepper ginger sugar honey candy
  sweet sweetie sweetheart baby babygirl babyboy babydoll barbie girl girls boy boys boss bigboss king queen prince knight
  warrior soldier ranger hunter sniper killer assassin destroyer terminator predator gladiator spartan samurai ninja
  pirate vampire zombie ghost demon devil satan lucifer wizard merlin gandalf magic magical mystery fantasy legend diamond
  silver golden gold crystal thunder lightning storm hurricane blizzard snow snowball winter spring autumn october november
  december september january february monday friday sunday holiday vacation weekend birthday happy happiness smile smiley
  friend friends friendship bestfriend forever forever21 together family mother father mommy daddy brother sister grandma
  purple yellow green blue black white red pink blackjack poker casino lucky lucky7 winner champion champ player gamer
  games game music guitar guitarist drummer piano metallica slipknot nirvana ramones beatles greenday linkinpark eminem
  tupac snoopy garfield mickey minnie donald tweety scooby scoobydoo tigger winnie simpson simpsons bart homer southpark
  cartman kenny mario luigi zelda sonic tarzan simba nemo shrek hogwarts harrypotter potter hermione frodo sauron gollum
  elephant giraffe penguin dolphin tiger lion panther bear wolf wolves fox foxes eagle falcon hawk phoenix horse horses
  pony kitten kitty cat cats dog dogs doggy puppy rabbit bunny hamster turtle spider scorpion snake python cobra shark
  fish fishing goldfish chicken turkey duck bird parrot dinosaur unicorn dragonfly ladybug bumblebee
  maverick iceman goose topgun rocky rambo scarface godfather goodfellas blade hellboy deadpool hulk avengers joker harley
  private public security secure safe safety password1 mypassword mypass mysecret mylogin myspace1 nopassword nopass
  thepassword yourpassword newpassword oldpassword passpass passwordpassword letmepass enter entrance enternow
  money cash dollar million millionaire billion rich richman business company corporate finance banking bank bitcoin crypto
  trader success power powerful energy victory liberty justice police fireman firefighter doctor nurse teacher student
  school college university science math history english french spanish german italian captain major general sergeant
  marine marines army navy airforce rocket shuttle apollo gemini saturn jupiter mercury venus pluto galaxy universe planet
  earth moon stars star sun ocean river mountain forest desert island beach surfer surfing skateboard snowboard skiing
  motorcycle bicycle running runner marathon fitness yoga karate boxing boxer wrestling wrestler
  asshole bastard bitch bullshit fuck fucker fuckoff fuckyou fuckme pussy sexy sexsex sex shit dick dickhead boobs horny
  hardcore playboy pornstar butthead buttercup scarlett
  babylon bismillah inshallah allah mohammed muhammad ahmed hussain krishna ganesh jaimatadi saibaba shiva rama om
  anhyeuem emyeuanh matkhau woaini aini1314 5201314 woaini1314 woaini520 nihao sayang cinta rahasia indonesia1 bangsat
  aleksandr dmitry natalya privet parol parol123 lyubov marseille doudou loulou chouchou soleil nicolas tigrou
  schatz hallo123 ficken schalke04 hamster computer1 sommer winter1 fussball juliane amoremio ciao ciaociao napoli forza
  nomore nevermind whoami letsgo goaway getout comeon heyhey haha hahaha lalala blabla blahblah kaka lol lolol lololol
  omgomg wtf noob pwned leet elite 1337 hunter2 correcthorsebatterystaple`.split(/\s+/),
);

const YEARS = Array.from({ length: 91 }, (_, i) => String(1940 + i));
const SHORT_YEARS = YEARS.map((year) => year.slice(2));
const COUNTED = ["1", "12", "123", "1234", "12345", "123456", "1234567", "12345678", "123456789", "1234567890"];
const NUMBERS = [
  ...COUNTED,
  ..."0234567890",
  "007",
  "321",
  "4321",
  "111",
  "1111",
  "000",
  "0000",
  "666",
  "777",
  "420",
  "143",
  "786",
];
const MARKS = ["!", "!!", "!!!", ".", "?", "*", "#", "@", "$", "_", "-", "!@#", "!@#$"];
const BARE = ["", ...NUMBERS, ...YEARS, ...SHORT_YEARS, "abc", "xyz", "qwe", "asd"];
/** What people put behind a word. */
const ENDINGS: ReadonlySet<string> = new Set(
  BARE.flatMap((ending) => [ending, ...MARKS.map((mark) => ending + mark), ...MARKS.map((mark) => mark + ending)]),
);
const LONGEST_ENDING = Math.max(...[...ENDINGS].map(({ length }) => length));

/** Letters as digits and signs, each with the letters it stands for. */
const DISGUISES: readonly (readonly [RegExp, string])[] = [
  [/[@4]/g, "a"],
  [/3/g, "e"],
  [/[1!|]/g, "i"],
  [/0/g, "o"],
  [/[$5]/g, "s"],
  [/7/g, "t"],
];

const ROWS = [
  "1234567890",
  "qwertyuiop",
  "qwertzuiop",
  "azertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "yxcvbnm",
  "abcdefghijklmnopqrstuvwxyz",
];
const ROW_PAIRS = [
  "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik",
  "1q2w3e4r5t6y7u8i9o0p",
  "q1w2e3r4t5y6u7i8o9p0",
  "a1b2c3d4e5f6g7h8",
  "qawsedrftgyhujikolp",
  "qazwsxedcrfvtgbyhnujmikolp",
];
const SHIFTED = "!@#$%^&*()";
const RUNS: readonly string[] = [
  ...ROWS,
  ...ROW_PAIRS,
  SHIFTED,
  ROWS[0] + (ROWS[0] as string),
  "qwertyuiopasdfghjklzxcvbnm",
  "012345678909876543210",
].flatMap((run) => [run, [...run].reverse().join("")]);

const YEAR = "(?:19[4-9]\\d|20[0-3]\\d)";
const DAY = "(?:0[1-9]|[12]\\d|3[01])";
const MONTH = "(?:0[1-9]|1[0-2])";
const DATE = new RegExp(`^(?:${YEAR}${MONTH}${DAY}|${DAY}${MONTH}${YEAR}|${MONTH}${DAY}${YEAR})$`);
/** One to four characters, again and again. Beyond this length nobody does so but on purpose. */
const LONGEST_REPETITION = 16;
const REPEATED = /^(.{1,4}?)\1+.{0,3}$/su;

/** Whether a password is one of those that are tried first, or the name of its user. `password` is normalized. */
export function isCommon(password: string, name = ""): boolean {
  const text = password.toLowerCase();
  if (name !== "" && endsLikely(text, (word) => word === name)) return true;
  if (text.length <= LONGEST_REPETITION && isRepetition(text)) return true;
  if (DATE.test(text) || RUNS.some((run) => run.includes(text))) return true;
  return endsLikely(text, isWord);
}

function endsLikely(text: string, isKnown: (word: string) => boolean): boolean {
  for (let cut = text.length; cut >= 3 && cut >= text.length - LONGEST_ENDING; cut--) {
    if (ENDINGS.has(text.slice(cut)) && isKnown(text.slice(0, cut))) return true;
  }
  return false;
}

function isWord(text: string): boolean {
  if (WORDS.has(text) || RUNS.some((run) => text.length >= 4 && run.includes(text))) return true;
  const bare = DISGUISES.reduce((word, [sign, letter]) => word.replace(sign, letter), text);
  if (WORDS.has(bare) || WORDS.has(bare.replaceAll("i", "l"))) return true;
  // A word twice, such as testtest.
  const half = text.length / 2;
  return text.slice(0, half) === text.slice(half) && WORDS.has(text.slice(0, half));
}

/** What follows the last whole repetition must begin another one. */
function isRepetition(text: string): boolean {
  const [, unit] = REPEATED.exec(text) ?? [];
  return unit ? unit.repeat(Math.ceil(text.length / unit.length)).startsWith(text) : false;
}
